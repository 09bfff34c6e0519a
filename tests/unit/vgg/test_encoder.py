"""VGG-19 as a feature extractor, by each of its ways to compute the same."""

import pytest
import torch
import torch.nn.functional as F
from conftest import tiny_convolutions
from makers import noise, random_vgg
from torch import Tensor

from nst.image.masks import Region
from nst.optimization.objective import Objective
from nst.settings import Settings
from nst.vgg import winograd
from nst.vgg.convolution import ReplicateConv2d, repeat_border
from nst.vgg.encoder import Encoder
from nst.vgg.layers import LAYERS, content_weights, default_layers, parse_weights, style_weights


def by_hand(image: Tensor, state: dict[str, Tensor], pool) -> dict[str, Tensor]:
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
    assert winograd.worthwhile(64, 128, 40 * 48)
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


def test_bfloat16_sees_about_the_same():
    image = noise(80, 97)
    exact = Encoder(WIDE, name="x")(image, ["relu2_2"])["relu2_2"]
    rough = Encoder(WIDE, name="x", precision=torch.bfloat16)(image, ["relu2_2"])["relu2_2"]
    assert rough.dtype == torch.bfloat16
    assert ((rough.float() - exact).norm() / exact.norm()) < 0.03


# Multiples of a tile of Winograd's, one position more and less, narrower than a tile, and of several blocks.
@pytest.mark.parametrize("size", [(4, 4), (8, 12), (9, 13), (7, 11), (1, 1), (3, 30), (30, 2), (64, 61)])
@pytest.mark.parametrize(("before", "after"), [(3, 5), (8, 2)])
def test_each_way_to_convolve_repeats_the_border_and_has_the_same_gradient(monkeypatch, before, after, size):
    monkeypatch.setattr(winograd, "BLOCK", 36 * 8 * 20)  # so that the larger ones take several
    layer = ReplicateConv2d(before, after).requires_grad_(False).to(memory_format=torch.channels_last)
    features = torch.randn(1, before, *size).to(memory_format=torch.channels_last)
    outer = torch.randn(1, after, *size).to(memory_format=torch.channels_last)

    def exactly(leaf: Tensor) -> Tensor:
        padded = F.pad(leaf.double(), (1, 1, 1, 1), mode="replicate")
        return F.conv2d(padded, layer.weight.double(), layer.bias.double()).relu()

    def on_gpus(leaf: Tensor) -> Tensor:
        return F.conv2d(repeat_border(leaf), layer.weight, layer.bias).relu()

    found = []
    small, large = (layer.rectified, 10**9), (layer.rectified, 0)
    for way, limit in ((exactly, 0), (on_gpus, 0), (layer.filtered, 0), small, large):
        monkeypatch.setattr("nst.vgg.convolution.WORTHWHILE", limit)
        leaf = features.clone().requires_grad_()
        result = way(leaf)
        (gradient,) = torch.autograd.grad(result, leaf, outer.to(result.dtype))
        found.append((result.detach().float(), gradient))
    for other in found[1:]:
        for one, exact in zip(other, found[0], strict=True):
            assert torch.allclose(one, exact, atol=2e-5 * float(exact.abs().max()))


@pytest.mark.parametrize(
    ("pooling", "height", "rows", "blocks"),
    [("max", 96, 32, 1), ("average", 101, 32, 2), ("max", 101, 8, 3), ("max", 70, 32, 9)],
)
def test_in_strips_everything_is_as_it_is_in_one_piece(pooling, height, rows, blocks, monkeypatch):
    monkeypatch.setattr("nst.vgg.description.ROWS", rows)
    encoder = Encoder(tiny_convolutions(13), name="tiny", pooling=pooling)
    image, photo, style = (noise(height, 70, seed) for seed in range(3))
    mask = torch.rand(1, 1, height, 70)
    mask[..., : height // 2, :] = 0  # nothing of it in the first strips
    regions = [Region((1.0,), mask), Region((1.0,), 1 - mask)]
    for style_loss in ("gaussian", "gram"):
        given = encoder, photo, [style], Settings(style_loss=style_loss, content_layer="relu2_1"), regions
        one, cut_up = Objective(*given)(image), Objective(*given, blocks=blocks)(image)
        torch.testing.assert_close(cut_up.loss, one.loss, rtol=1e-5, atol=0)
        assert float((cut_up.gradient - one.gradient).norm() / one.gradient.norm()) < 1e-4


def test_layers_are_those_that_are_named_as_far_as_they_are_carried():
    to_3_4 = list(LAYERS)[:8]
    assert default_layers(LAYERS) == (("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"), ("relu4_2",))
    assert default_layers(to_3_4) == (("relu1_1", "relu2_1", "relu3_1", "relu3_4"), ("relu3_3",))
    assert default_layers(["relu1_1"]) == (("relu1_1",), ("relu1_1",))
    assert style_weights("auto", to_3_4) == {"relu1_1": 1, "relu2_1": 1, "relu3_1": 1, "relu3_4": 1}
    assert style_weights("gatys", to_3_4) == {"relu1_1": 1, "relu2_1": 1, "relu3_1": 1}
    assert style_weights("crowsonkb", LAYERS)["relu1_1"] == 256
    assert content_weights("auto", to_3_4) == {"relu3_3": 1}
    assert content_weights("relu2_1", to_3_4) == {"relu2_1": 1}
    assert parse_weights("relu3_1:0.5, relu1_1") == {"relu3_1": 0.5, "relu1_1": 1.0}
    assert parse_weights("relu1_1:0 relu2_1:3") == {"relu2_1": 3.0}
    assert list(style_weights("relu3_1 relu1_1", LAYERS)) == ["relu1_1", "relu3_1"]
