from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from nst.vgg import winograd
from nst.vgg.convolution import ReplicateConv2d

# Multiples of a tile, one position more and less, narrower than a tile, and of several blocks.
SIZES = [(4, 4), (8, 12), (9, 13), (7, 11), (1, 1), (3, 30), (30, 2), (64, 61)]


def layer_of(before: int, after: int) -> ReplicateConv2d:
    layer = ReplicateConv2d(before, after).requires_grad_(False)
    layer.weight.data = (torch.randn(after, before, 3, 3) / before).to(memory_format=torch.channels_last)
    layer.bias.data = torch.randn(after)
    return layer


def exactly(layer: ReplicateConv2d, features: Tensor, outer: Tensor) -> tuple[Tensor, Tensor]:
    """Return the convolution's ReLU and its gradient in float64, with the border repeated."""
    wide = features.detach().double().requires_grad_()
    padded = F.pad(wide, (1, 1, 1, 1), mode="replicate")
    result = F.conv2d(padded, layer.weight.double(), layer.bias.double()).relu()
    return result.detach(), torch.autograd.grad(result, wide, outer.double())[0]


def channels_last(*shape: int) -> Tensor:
    return torch.randn(shape).to(memory_format=torch.channels_last)


@pytest.mark.parametrize(("height", "width"), SIZES)
@pytest.mark.parametrize(("before", "after"), [(3, 5), (8, 2)])
def test_it_is_the_same_convolution_with_the_same_gradient(monkeypatch, height, width, before, after):
    monkeypatch.setattr(winograd, "BLOCK", 36 * 8 * 20)  # so that the larger ones take several
    layer, features = layer_of(before, after), channels_last(1, before, height, width).requires_grad_()
    result = layer.filtered(features)
    outer = torch.randn_like(result)
    expected, gradient = exactly(layer, features, outer)
    assert result.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(result.double(), expected, atol=2e-5 * float(expected.abs().max()))
    (found,) = torch.autograd.grad(result, features, outer)
    assert torch.allclose(found.double(), gradient, atol=2e-5 * float(gradient.abs().max()))


def test_only_wide_float32_on_a_cpu_is_filtered():
    wide = channels_last(1, 64, 40, 48)  # as in `test_encoder.py`
    assert winograd.pays(wide, 128)
    assert not winograd.pays(wide, 32)
    small, two = channels_last(1, 64, 10, 10), channels_last(2, 64, 40, 48)
    for other in (small, two, wide.contiguous(), wide.bfloat16(), wide.double(), wide.to("meta")):
        assert not winograd.pays(other, 128)
