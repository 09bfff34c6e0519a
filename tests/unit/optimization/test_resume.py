"""Going on with a painting."""

from __future__ import annotations

import numpy as np
import pytest
from makers import noise

from nst import InputError, Settings, stylize
from nst.image.tensors import resize, to_tensor

PHOTO, STYLE = noise(64, 96, seed=5), noise(80, 80, seed=6)


@pytest.fixture(scope="module")
def paint(encoder):
    """Return a function that gives all frames of a painting."""

    def frames(resume=None, size=128, **settings):
        chosen = Settings(size=size, iterations=30, **settings)
        return list(stylize(PHOTO, STYLE, chosen, encoder=encoder, interval=0, resume=resume))

    return frames


@pytest.fixture(scope="module")
def before(paint):
    return paint()


def test_a_finished_picture_is_gone_on_with_at_its_size(paint, before):
    after = paint(to_tensor(before[-1].image))
    assert {frame.width for frame in after} == {128}
    assert np.abs(after[0].image.astype(int) - before[-1].image).max() <= 1
    assert after[-1].losses["total"] < before[-1].losses["total"]
    bold = paint(to_tensor(before[-1].image), style_weight=10.0)
    assert bold[-1].losses["style"] < 0.8 * after[-1].losses["style"]


def test_an_earlier_frame_is_gone_on_with_from_its_size(paint, before):
    small = next(frame for frame in reversed(before) if frame.width == 64)
    after = paint(small)
    assert list(dict.fromkeys(frame.width for frame in after)) == [64, 128]
    assert np.abs(after[0].image.astype(int) - small.image).max() <= 1


def test_a_larger_size_goes_on_from_there_and_another_photos_painting_is_refused(paint, before):
    done = to_tensor(before[-1].image)
    after = paint(done, size=256)
    assert {frame.width for frame in after} == {128, 256}
    shrunk = resize(to_tensor(after[-1].image), (128, 85))
    assert (shrunk - done).abs().mean() < 0.1
    with pytest.raises(InputError, match="other proportions than the photo"):
        paint(noise(96, 96))
