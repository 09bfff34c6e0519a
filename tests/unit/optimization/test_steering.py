"""Changing a painting while it is on its way."""

from __future__ import annotations

import numpy as np
import pytest
from makers import noise

from nst import Settings, stylize
from nst.image.colors import luminance
from nst.image.tensors import to_tensor

PHOTO = noise(64, 96, seed=5)
DARK, BRIGHT = noise(64, 64, seed=6) * 0.3, noise(64, 64, seed=7) * 0.3 + 0.7
BASE = {"size": 64, "iterations": 40, "blend_2": 0.0}


@pytest.fixture(scope="module")
def paint(encoder):
    """Return a function that gives all frames; from the tenth on other settings may be wanted."""

    def painted(wish=None, **settings):
        chosen, wanted = Settings(**{**BASE, **settings}), Settings(**{**BASE, **(wish or {})})
        frames = []

        def steer():
            return wanted if len(frames) >= 10 else None

        for frame in stylize(PHOTO, [DARK, BRIGHT], chosen, encoder=encoder, steer=steer, interval=0):
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


def test_a_style_can_come_in_later(paint):
    def light(frames) -> float:
        return float(luminance(to_tensor(frames[-1].image)).mean())

    later = paint({"blend_1": 0.0, "blend_2": 1.0, "content_weight": 3.0}, content_weight=3.0)
    assert light(later) > light(paint(content_weight=3.0)) + 0.2


@pytest.mark.parametrize(
    ("wish", "changes", "notice"),
    [
        ({"content_weight": 9.0}, True, ""),
        ({"smoothness": 10.0}, True, ""),
        ({"size": 96, "iterations": 20, "optimizer": "adam", "seed": 3}, False, ""),  # wait for the next run
        ({"blend_1": 0.0}, False, "Every style has the share 0"),
    ],
)
def test_live_knobs_change_the_picture_and_what_cannot_be_changed_does_not(
    paint, plain, wish, changes, notice
):
    last = paint(wish)[-1]
    assert last.settings == Settings(**{**BASE, **(wish if changes else {})})
    assert last.iteration == 40
    assert notice in last.notice
    assert bool(notice) == bool(last.notice)
    assert np.array_equal(last.image, plain[-1].image) != changes
