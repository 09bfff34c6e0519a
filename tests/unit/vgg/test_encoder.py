from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from conftest import tiny_convolutions
from makers import noise

from nst.errors import InputError
from nst.vgg.convolution import ReplicateConv2d, repeat_border
from nst.vgg.encoder import Encoder
from nst.vgg.layers import CONVOLUTIONS, LAYERS, WIDTHS
from nst.vgg.moments import gram_matrix, moments, moments_through
from nst.vgg.pooling import MaxPool

IMAGE = noise(48, 64)


def test_the_layout_is_torchvisions():
    from torchvision.models import vgg19

    with torch.device("meta"):
        features = vgg19().features
    assert list(LAYERS.values()) == [n for n, each in enumerate(features) if isinstance(each, torch.nn.ReLU)]
    convolutions = {n: each for n, each in enumerate(features) if isinstance(each, torch.nn.Conv2d)}
    assert list(convolutions) == CONVOLUTIONS
    assert [each.out_channels for each in convolutions.values()] == WIDTHS
    encoder = Encoder(tiny_convolutions(16), name="tiny")
    assert all(isinstance(own, type(theirs)) for own, theirs in zip(encoder.features, features, strict=False))
    assert not any(parameter.requires_grad for parameter in encoder.parameters())


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


@pytest.mark.parametrize(
    ("pooling", "pool"),
    [("max", lambda x: F.max_pool2d(x, 2)), ("average", lambda x: 2 * F.avg_pool2d(x, 2))],
)
def test_features_with_replicate_padding_and_either_pooling(pooling, pool):
    state = tiny_convolutions()
    encoder = Encoder(state, name="tiny", pooling=pooling)
    expected = by_hand(IMAGE, state, pool)
    taps = encoder(IMAGE, expected)
    torch.testing.assert_close(taps, expected, rtol=0, atol=1e-5)


def test_nothing_beyond_the_deepest_layer_is_computed(encoder, monkeypatch):
    calls, forward = [], ReplicateConv2d.forward
    monkeypatch.setattr(
        ReplicateConv2d, "forward", lambda layer, value: calls.append(layer) or forward(layer, value)
    )
    encoder(IMAGE, ["relu2_1", "relu1_1"])
    assert calls == [module for module in encoder.features if isinstance(module, ReplicateConv2d)][:3]


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


def test_what_else_is_asked_for_changes_no_layer(encoder):
    # Pooling goes ahead of a ReLU that nobody asked for.
    values, gradients = [], []
    for layers in (["relu2_1", "relu3_4"], list(encoder.layers)):
        image = IMAGE.clone().requires_grad_()
        taps = encoder(image, layers)
        values.append(taps["relu3_4"])
        gradients.append(
            torch.autograd.grad(taps["relu3_4"].square().sum() + taps["relu2_1"].sum(), image)[0]
        )
    assert torch.equal(*values)
    assert torch.allclose(*gradients, atol=1e-6)


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


def test_pooling_keeps_nothing_as_large_as_what_it_pools():
    kept = []
    leaf = torch.rand(1, 6, 64, 22).to(memory_format=torch.channels_last).requires_grad_()
    with torch.autograd.graph.saved_tensors_hooks(
        lambda one: kept.append(one.numel()) or one, lambda one: one
    ):
        MaxPool()(leaf)
    assert kept == [leaf.numel() // 4]


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
