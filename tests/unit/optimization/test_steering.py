"""Changing a painting while it is on its way, and going on with one."""

import numpy as np
import pytest
from makers import noise

from nst import InputError, Settings, stylize
from nst.image.tensors import resize, to_tensor

PHOTO = noise(64, 96, seed=5)
DARK, BRIGHT = noise(64, 64, seed=6) * 0.3, noise(64, 64, seed=7) * 0.3 + 0.7
BASE = {"size": 64, "iterations": 40, "blend_2": 0.0}


@pytest.fixture(scope="module")
def paint(encoder):
    """Return a function that gives all frames; from the tenth on other settings may be wanted."""

    def painted(wish=None, resume=None, **settings):
        chosen, wanted = Settings(**{**BASE, **settings}), Settings(**{**BASE, **(wish or {})})
        frames = []

        def steer():
            return wanted if wish and len(frames) >= 10 else None

        how = {"encoder": encoder, "steer": steer, "resume": resume, "interval": 0}
        for frame in stylize(PHOTO, [DARK, BRIGHT], chosen, **how):
            frames.append(frame)
        return frames

    return painted


@pytest.fixture(scope="module")
def plain(paint):
    return paint()


def test_it_counts_from_the_next_iteration_without_a_restart(paint, plain):
    frames = paint({"style_weight": 9.0})
    assert [frame.iteration for frame in frames] == [*range(1, 40), 40]
    assert [frame.settings.style_weight for frame in frames] == [5.0] * 10 + [9.0] * (len(frames) - 10)
    for one, other in zip(frames[:10], plain[:10], strict=True):
        assert np.array_equal(one.image, other.image)
    assert frames[-1].losses["content"] > plain[-1].losses["content"]
    assert frames[-1].losses["style"] < plain[-1].losses["style"]


def test_a_style_can_come_in_later(paint, plain):
    later = paint({"blend_1": 0.0, "blend_2": 1.0})  # the bright one
    assert later[-1].image.mean() > plain[-1].image.mean() + 0.2 * 255


@pytest.mark.parametrize(
    ("wish", "lowers", "notice"),
    [
        ({"content_weight": 9.0}, "content", ""),
        ({"smoothness": 10.0}, "total variation", ""),
        ({"size": 96, "iterations": 20, "optimizer": "adam", "seed": 3}, None, ""),  # wait for the next run
        ({"blend_1": 0.0}, None, "Every style has the share 0"),
    ],
)
def test_live_knobs_change_the_picture_and_others_do_not(paint, plain, wish, lowers, notice):
    last = paint(wish)[-1]
    assert last.settings == Settings(**{**BASE, **(wish if lowers else {})})
    assert last.iteration == 40
    assert notice in last.notice
    assert bool(notice) == bool(last.notice)
    if lowers:
        assert last.losses[lowers] < plain[-1].losses[lowers]
    else:
        assert np.array_equal(last.image, plain[-1].image)


LARGER = {"size": 128, "iterations": 30}


@pytest.fixture(scope="module")
def before(paint):
    return paint(**LARGER)


def test_a_painting_is_gone_on_with_from_the_size_that_it_has(paint, before):
    after = paint(resume=to_tensor(before[-1].image), **LARGER)
    assert {frame.width for frame in after} == {128}
    assert np.abs(after[0].image.astype(int) - before[-1].image).max() <= 1
    assert after[-1].losses["total"] < before[-1].losses["total"]
    bold = paint(resume=to_tensor(before[-1].image), style_weight=10.0, **LARGER)
    assert bold[-1].losses["style"] < 0.8 * after[-1].losses["style"]
    # An earlier frame, from its own size.
    small = next(frame for frame in reversed(before) if frame.width == 64)
    after = paint(resume=small, **LARGER)
    assert list(dict.fromkeys(frame.width for frame in after)) == [64, 128]
    assert np.abs(after[0].image.astype(int) - small.image).max() <= 1


def test_a_larger_size_goes_on_from_there_and_another_photos_painting_is_refused(paint, before):
    done = to_tensor(before[-1].image)
    after = paint(resume=done, size=256, iterations=30)
    assert {frame.width for frame in after} == {128, 256}
    shrunk = resize(to_tensor(after[-1].image), (128, 85))
    assert (shrunk - done).abs().mean() < 0.1
    with pytest.raises(InputError, match="other proportions than the photo"):
        paint(resume=noise(96, 96))
