"""Looking at a picture strip by strip."""

from __future__ import annotations

import pytest
import torch
from conftest import tiny_convolutions
from makers import noise

from nst.optimization.objective import Objective
from nst.settings import Settings
from nst.vgg.encoder import Encoder
from nst.vgg.strips import cut


@pytest.mark.parametrize(("height", "count"), [(96, 1), (96, 3), (101, 4), (35, 16), (7, 2), (1000, 7)])
def test_strips_cover_every_row_once_and_are_pooled_as_the_whole(height, count):
    strips = cut(height, count, reach=22, stride=8)
    assert [strip.first for strip in strips] == [0, *(strip.last for strip in strips[:-1])]
    assert strips[-1].last == height
    assert len(strips) <= count
    for strip in strips:
        assert strip.first % 8 == strip.top % 8 == 0
        assert strip.last - strip.first >= 8 or len(strips) == 1
        assert strip.top == 0 or strip.first - strip.top >= 22
        assert strip.bottom == height or strip.bottom - strip.last >= 22
    for stride in (1, 2, 4, 8):
        rows = [row for strip in strips for row in range(height // stride)[strip.whole(stride)]]
        assert rows == list(range(height // stride))
        for strip in strips:
            own, whole = strip.own(stride), strip.whole(stride)
            assert own.stop - own.start == whole.stop - whole.start
            assert own.stop <= (strip.bottom - strip.top) // stride


@pytest.mark.parametrize("pooling", ["max", "average"])
@pytest.mark.parametrize("height", [96, 101])
def test_in_strips_everything_is_as_it_is_in_one_piece(pooling, height):
    encoder = Encoder(tiny_convolutions(13), name="tiny", pooling=pooling)
    image, photo, style = (noise(height, 70, seed) for seed in range(3))
    mask = torch.rand(1, 1, height, 70)
    mask[..., : height // 2, :] = 0  # nothing of it in the first strips
    layers = ("relu1_1", "relu3_1", "relu5_1")
    whole = encoder.describe(image, ("relu4_2",), layers, (None, mask))
    parts = encoder.describe(image, ("relu4_2",), layers, (None, mask), strips=3)
    torch.testing.assert_close(parts[0], whole[0])
    for name in layers:
        for part, one in zip(parts[1][name], whole[1][name], strict=True):
            torch.testing.assert_close(part, one, rtol=1e-4, atol=1e-5)
    for style_loss in ("gaussian", "gram"):
        settings = Settings(style_loss=style_loss)
        one = Objective(encoder, photo, [style], settings)(image)
        cut_up = Objective(encoder, photo, [style], settings, strips=3)(image)
        torch.testing.assert_close(cut_up.loss, one.loss, rtol=1e-5, atol=0)
        assert float((cut_up.gradient - one.gradient).norm() / one.gradient.norm()) < 1e-4


def test_only_one_strip_is_held_at_a_time(encoder):
    """Activations kept for the way back, counted by what autograd saves."""
    image = torch.rand(1, 3, 512, 64)
    objective = Objective(encoder, image, [image], Settings())

    def saved(strips):
        total = 0

        def pack(tensor):
            nonlocal total
            total += tensor.nbytes
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            leaf = image.clone().requires_grad_()
            encoder.describe(leaf, objective.content_layers, objective.style_layers, strips=strips)
        return total

    assert saved(8) < saved(1) / 3
