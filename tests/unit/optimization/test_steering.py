"""Changing a painting while it is on its way."""

from __future__ import annotations

import numpy as np
import torch

from nst import Settings, stylize
from nst.image.colors import luminance

GENERATOR = torch.Generator().manual_seed(5)
PHOTO = torch.rand(1, 3, 64, 96, generator=GENERATOR)
DARK, BRIGHT = (torch.rand(1, 3, 64, 64, generator=GENERATOR) * 0.3 + base for base in (0.0, 0.7))
BASE = Settings(size=64, iterations=40, blend_2=0.0)


def paint(encoder, wish=None, at=10, settings=BASE, **more):
    """Paint; from iteration `at` on `wish` is wanted. Return all frames."""
    frames, wanted = [], []
    steer = (lambda: wanted[0] if wanted else None) if wish else None
    for frame in stylize(PHOTO, [DARK, BRIGHT], settings, encoder=encoder, steer=steer, interval=0, **more):
        frames.append(frame)
        if frame.iteration == at:
            wanted[:] = [wish]
    return frames


def test_it_counts_from_the_next_iteration_without_a_restart(encoder):
    wish = Settings(style_weight=9.0)
    frames = paint(encoder, wish)
    assert [frame.iteration for frame in frames] == [*range(1, 40), 40]
    assert {frame.settings.style_weight for frame in frames[:10]} == {5.0}
    assert {frame.settings.style_weight for frame in frames[10:]} == {9.0}
    plain = paint(encoder)
    for one, other in zip(frames[:10], plain[:10], strict=True):
        assert np.array_equal(one.image, other.image)
    assert frames[-1].losses["content"] > plain[-1].losses["content"]


def test_each_live_knob_changes_the_picture(encoder):
    plain = paint(encoder)[-1].image
    for change in ({"content_weight": 9.0}, {"style_weight": 9.0}, {"smoothness": 10.0}, {"blend_2": 1.0}):
        assert not np.array_equal(paint(encoder, Settings(**{"blend_2": 0.0, **change}))[-1].image, plain)


def test_a_style_can_come_in_later(encoder):
    def light(frames) -> float:
        image = torch.from_numpy(frames[-1].image).permute(2, 0, 1)[None] / 255
        return float(luminance(image).mean())

    before = Settings(size=64, iterations=40, blend_2=0.0, content_weight=3.0)
    later = paint(encoder, Settings(blend_1=0.0, content_weight=3.0), settings=before)
    assert light(later) > light(paint(encoder, settings=before)) + 0.2


def test_other_knobs_wait_for_the_next_run(encoder):
    frames = paint(encoder, Settings(size=64, iterations=20, optimizer="adam", seed=3, blend_2=0.0))
    assert frames[-1].settings == BASE
    assert np.array_equal(frames[-1].image, paint(encoder)[-1].image)


def test_what_cannot_be_painted_is_said_and_the_painting_goes_on(encoder):
    frames = paint(encoder, Settings(blend_1=0.0, blend_2=0.0))
    assert frames[-1].iteration == 40
    assert "Every style has the share 0" in frames[-1].notice
    assert np.array_equal(frames[-1].image, paint(encoder)[-1].image)
