"""Looking at a picture strip by strip."""

from __future__ import annotations

import pytest
import torch
from conftest import tiny_convolutions
from makers import noise

from nst.optimization.objective import Objective
from nst.settings import Settings
from nst.vgg.encoder import Encoder


@pytest.mark.parametrize(
    ("pooling", "height", "strips"),
    [("max", 96, 3), ("max", 101, 16), ("average", 35, 2)],
)
def test_in_strips_everything_is_as_it_is_in_one_piece(pooling, height, strips):
    encoder = Encoder(tiny_convolutions(13), name="tiny", pooling=pooling)
    image, photo, style = (noise(height, 70, seed) for seed in range(3))
    mask = torch.rand(1, 1, height, 70)
    mask[..., : height // 2, :] = 0  # nothing of it in the first strips
    layers = ("relu1_1", "relu3_1", "relu5_1")
    whole = encoder.describe(image, ("relu4_2",), layers, (None, mask))
    parts = encoder.describe(image, ("relu4_2",), layers, (None, mask), strips=strips)
    torch.testing.assert_close(parts[0], whole[0])
    for name in layers:
        for part, one in zip(parts[1][name], whole[1][name], strict=True):
            torch.testing.assert_close(part, one, rtol=1e-4, atol=1e-5)
    for style_loss in ("gaussian", "gram"):
        settings = Settings(style_loss=style_loss)
        one = Objective(encoder, photo, [style], settings)(image)
        cut_up = Objective(encoder, photo, [style], settings, strips=strips)(image)
        torch.testing.assert_close(cut_up.loss, one.loss, rtol=1e-5, atol=0)
        assert float((cut_up.gradient - one.gradient).norm() / one.gradient.norm()) < 1e-4


def test_only_one_strip_is_held_at_a_time(encoder):
    """Activations kept for the way back, counted by what autograd saves."""
    image = torch.rand(1, 3, 512, 64)

    def saved(strips):
        kept = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda one: kept.append(one.nbytes) or one, lambda one: one
        ):
            encoder.describe(image.clone().requires_grad_(), ["relu3_3"], encoder.style_layers, strips=strips)
        return sum(kept)

    assert saved(8) < saved(1) / 3
