from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from conftest import tiny_convolutions
from makers import noise, random_vgg

from nst.errors import InputError
from nst.vgg.convolution import ReplicateConv2d, repeat_border
from nst.vgg.encoder import Encoder
from nst.vgg.moments import gram_matrix, moments, moments_through
from nst.vgg.pooling import MaxPool

IMAGE = noise(48, 64)


def by_hand(image: torch.Tensor, state: dict[str, torch.Tensor], pool) -> dict[str, torch.Tensor]:
    """Compute relu1_1 to relu2_2 without the class."""
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    value = (image - mean.view(1, 3, 1, 1)) / std.view(1, 3, 1, 1)
    taps = {}
    for name, n in (("relu1_1", 0), ("relu1_2", 2), ("relu2_1", 5), ("relu2_2", 7)):
        if name == "relu2_1":
            value = pool(value)
        padded = F.pad(value, (1, 1, 1, 1), mode="replicate")
        value = F.conv2d(padded, state[f"features.{n}.weight"], state[f"features.{n}.bias"]).relu()
        taps[name] = value
    return taps


# VGG-19's own widths, at which a CPU filters relu2_1 and relu2_2 by Winograd's method.
WIDE = dict(list(random_vgg().items())[:8])


@pytest.mark.parametrize("state", [tiny_convolutions(), WIDE], ids=["tiny", "wide"])
@pytest.mark.parametrize("layers", [["relu1_1", "relu1_2", "relu2_1", "relu2_2"], ["relu2_2"]])
@pytest.mark.parametrize(
    ("pooling", "pool"),
    [("max", lambda x: F.max_pool2d(x, 2)), ("average", lambda x: 2 * F.avg_pool2d(x, 2))],
)
def test_features_with_replicate_padding_and_either_pooling(state, layers, pooling, pool):
    """Pooling goes ahead of a ReLU that nobody asked for."""
    encoder = Encoder(state, name="x", pooling=pooling)
    found = []
    for look in (lambda image: encoder(image, layers), lambda image: by_hand(image, state, pool)):
        image = noise(80, 97).requires_grad_()
        seen = look(image)
        loss = sum(seen[name].square().mean() for name in layers)
        found.append([*(seen[name].detach() for name in layers), *torch.autograd.grad(loss, image)])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4 * float(other.abs().max()))
    # Nothing beyond the deepest layer is computed: pooling would leave nothing of a single pixel.
    assert encoder(noise(1, 1), ["relu1_2"])["relu1_2"].shape[-2:] == (1, 1)


@pytest.mark.parametrize(
    ("missing", "other", "message"),
    [
        ("features.0.weight", {}, "first one"),
        ("", {"features.2.weight": torch.zeros(5, 9, 3, 3)}, "fit together"),
        ("features.5.bias", {}, "fit together"),
    ],
)
def test_weights_that_do_not_fit(missing, other, message):
    state = {**tiny_convolutions(), **other}
    state.pop(missing, None)
    with pytest.raises(InputError, match=message):
        Encoder(state, name="x")


def test_taps_with_matrices():
    state = tiny_convolutions()
    plain = Encoder(state, name="x")(IMAGE, ["relu1_1"])["relu1_1"]
    matrix = torch.randn(3, plain.shape[1])
    encoder = Encoder({**state, "taps.relu1_1": matrix}, name="x")
    assert encoder.layers == ("relu1_1",)
    tap = encoder(IMAGE, ["relu1_1"])["relu1_1"]
    assert torch.allclose(tap, torch.einsum("kc,nchw->nkhw", matrix, plain), atol=1e-5)
    content, style = encoder.describe(IMAGE, ["relu1_1"], ["relu1_1"])
    assert torch.allclose(content["relu1_1"], tap)
    assert torch.allclose(style["relu1_1"][0].gram, gram_matrix(tap), rtol=1e-4, atol=1e-4)
    assert torch.allclose(style["relu1_1"][0].mean, tap.mean((0, 2, 3)), rtol=1e-4, atol=1e-4)


def test_bfloat16_sees_about_the_same():
    state = tiny_convolutions()
    exact = Encoder(state, name="x")(IMAGE, ["relu3_4"])["relu3_4"]
    rough = Encoder(state, name="x", precision=torch.bfloat16)(IMAGE, ["relu3_4"])["relu3_4"]
    assert rough.dtype == torch.bfloat16
    assert ((rough.float() - exact).norm() / exact.norm()) < 0.03


@pytest.mark.parametrize("size", [(96, 132), (1, 1), (5, 1), (2, 7)])
def test_the_border_is_repeated_as_torch_repeats_it(size, monkeypatch):
    """Forward and backward, by each of the three ways."""
    layer = ReplicateConv2d(5, 7).double().requires_grad_(False)
    plain = torch.nn.Conv2d(5, 7, 3, padding=1, padding_mode="replicate").double().requires_grad_(False)
    plain.load_state_dict(layer.state_dict())
    image = torch.rand(2, 5, *size, dtype=torch.float64).to(memory_format=torch.channels_last)
    slope = torch.rand(2, 7, *size, dtype=torch.float64)

    def repeated(leaf):
        return F.conv2d(repeat_border(leaf), layer.weight, layer.bias)

    found = []
    for way, limit in ((plain, 0), (layer, 0), (layer, 10**9), (repeated, 0)):
        monkeypatch.setattr("nst.vgg.convolution.WORTHWHILE", limit)
        leaf = image.clone().requires_grad_()
        result = way(leaf)
        found.append((result.detach(), *torch.autograd.grad(result, leaf, slope)))
    for other in found[1:]:
        torch.testing.assert_close(other, found[0])


@pytest.mark.parametrize("height", [64, 50, 37])
def test_pooling_in_bands_is_pooling(height):
    image = torch.rand(1, 6, height, 22).to(memory_format=torch.channels_last)
    found = []
    for pool in (torch.nn.MaxPool2d(2), MaxPool()):
        leaf = image.clone().requires_grad_()
        result = pool(leaf)
        found.append((result.detach(), *torch.autograd.grad(result.square().sum(), leaf)))
    torch.testing.assert_close(found[1], found[0])


@pytest.mark.parametrize("size", [(8, 9), (3, 2)])
def test_a_matrix_before_statistics_is_the_same_by_both_ways(size):
    """Times the few positions of a small picture, or times the Gram matrix of many."""
    features = torch.rand(1, 12, *size, dtype=torch.float64)
    matrix = torch.randn(20, 12, dtype=torch.float64)
    mask = torch.rand(1, 1, *size, dtype=torch.float64)
    for weights in (None, mask):
        found = moments_through(features, weights, matrix)
        expected = moments(F.conv2d(features, matrix[:, :, None, None]), weights)
        assert torch.allclose(found.mean, expected.mean)
        assert torch.allclose(found.gram, expected.gram)
        assert moments_through(features, weights, None).gram.shape == (12, 12)
