"""Going on with a painting."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nst import InputError, Settings, stylize
from nst.image.tensors import resize

GENERATOR = torch.Generator().manual_seed(5)
PHOTO, STYLE = (torch.rand(1, 3, *size, generator=GENERATOR) for size in ((64, 96), (80, 80)))
BASE = Settings(size=128, iterations=30)


def paint(encoder, settings=BASE, **more):
    return list(stylize(PHOTO, STYLE, settings, encoder=encoder, interval=0, **more))


def tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels).permute(2, 0, 1)[None] / 255


def test_a_finished_picture_is_gone_on_with_at_its_size(encoder):
    before = paint(encoder)
    after = paint(encoder, resume=tensor(before[-1].image))
    assert {frame.width for frame in after} == {128}
    assert np.abs(after[0].image.astype(int) - before[-1].image).max() <= 1
    assert after[-1].losses["total"] < before[-1].losses["total"]


def test_an_earlier_frame_is_gone_on_with_from_its_size(encoder):
    small = next(frame for frame in reversed(paint(encoder)) if frame.width == 64)
    after = paint(encoder, resume=tensor(small.image))
    assert list(dict.fromkeys(frame.width for frame in after)) == [64, 128]
    assert np.abs(after[0].image.astype(int) - small.image).max() <= 1


def test_other_settings_lead_elsewhere(encoder):
    done = tensor(paint(encoder)[-1].image)
    same, bold = (
        paint(encoder, Settings(size=128, iterations=30, style_weight=weight), resume=done)[-1]
        for weight in (5.0, 10.0)
    )
    assert bold.losses["style"] < 0.8 * same.losses["style"]


def test_a_larger_size_goes_on_from_there(encoder):
    done = paint(encoder)[-1].image
    after = paint(encoder, Settings(size=256, iterations=30), resume=tensor(done))
    assert {frame.width for frame in after} == {128, 256}
    shrunk = resize(tensor(after[-1].image), (128, 85))
    assert (shrunk - tensor(done)).abs().mean() < 0.1


def test_another_photos_painting_is_refused(encoder):
    with pytest.raises(InputError, match="other proportions than the photo"):
        paint(encoder, resume=torch.rand(1, 3, 96, 96))
