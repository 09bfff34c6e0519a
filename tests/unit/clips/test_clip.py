"""A clip painted frame by frame, each as the one before it, moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from conftest import picture

from nst import InputError, Settings
from nst.clips.clip import stylize_clip
from nst.clips.reading import Clip
from nst.image.tensors import to_tensor
from nst.painting import stylize

SMALL = Settings(size=96, iterations=30)
FEW = Settings(size=96, iterations=20, edge=0)
WIDE = np.array(picture(160, 64, seed=4))
STYLE = picture(80, 80, seed=5)
STEP = 3  # pixels a frame


@dataclass(frozen=True)
class Shots(Clip):
    """A clip of arrays."""

    shots: Sequence[np.ndarray] = ()

    def frames(self, longest):
        yield from self.shots


def panned(count):
    return [WIDE[:, STEP * number : STEP * number + 96].copy() for number in range(count)]


def painted(shots, encoder, settings=SMALL, style=STYLE, **more):
    """Paint shots of 96 x 64 as a clip; return the paintings, and all frames on the way to them."""
    clip = Shots(Path(), (96, 64), Fraction(10), len(shots) / 10, True, None, True, shots)
    frames = list(stylize_clip(clip, style, settings, encoder=encoder, interval=0, **more))
    return [each.frame for each in frames if each.done], frames


def warping_error(frames):
    images = [to_tensor(frame.image) for frame in frames]
    errors = [(one[..., STEP:] - other[..., :-STEP]).square().mean() for one, other in pairwise(images)]
    return float(np.mean(errors))


def test_it_flickers_less_than_frame_by_frame_and_takes_less(encoder):
    shots = panned(5)
    done, _ = painted(shots, encoder)
    alone = [list(stylize(shot, STYLE, SMALL, encoder=encoder))[-1] for shot in shots]
    assert len(done) == 5
    assert np.array_equal(done[0].image, alone[0].image)
    assert warping_error(done) < 0.4 * warping_error(alone)
    (iterations,) = {frame.iteration for frame in done[1:]}
    assert iterations < 0.35 * alone[0].iteration


def test_what_stands_still_stays_as_it_is(encoder):
    noise = np.random.default_rng(0)
    shots = [WIDE[:, :96].copy() for _ in range(8)]
    for number, shot in enumerate(shots):
        shot[8:24, 8 * number : 8 * number + 16] = (255, 0, 0)  # moves before it
    shots = [(shot + noise.normal(0, 2, shot.shape)).clip(0, 255).astype(np.uint8) for shot in shots]
    done, _ = painted(shots, encoder)
    images = [frame.image[44:].astype(int) for frame in done]
    assert np.abs(images[-1] - images[0]).mean() < 1


def test_what_becomes_lighter_little_by_little_is_painted_lighter(encoder):
    shots = [(WIDE[:, :96] * (0.5 + 0.02 * number)).astype(np.uint8) for number in range(16)]
    done, _ = painted(shots, encoder, replace(SMALL, colors="luminance", content_weight=10))
    assert done[-1].image.mean() > 1.2 * done[0].image.mean()


def test_each_frame_is_seen_while_it_is_painted_and_another_scene_begins_anew(encoder):
    other = 255 - np.array(picture(96, 64, seed=9))
    done, frames = painted([*panned(2), other], encoder)
    assert [each.number for each in frames] == sorted(each.number for each in frames)
    assert {each.count for each in frames} == {3}
    assert sum(each.number == 1 for each in frames) == done[1].iteration < 30
    assert [done[0].iteration, done[2].iteration] == [30, 30]
    assert ["temporal" in frame.losses for frame in done] == [False, True, False]


def test_masks_hold_for_the_whole_clip(encoder):
    keep, shots = np.zeros((64, 96, 3), np.uint8), panned(3)
    keep[:, :40] = 255
    done, _ = painted(shots, encoder, FEW, keep=keep)
    for shot, frame in zip(shots, done, strict=True):
        changed = np.abs(frame.image.astype(int) - shot)
        assert changed[:, :36].max() <= 2
        assert changed[:, 50:].mean() > 5


@pytest.mark.parametrize("colors", ["luminance", "match-before", "match-after"])
def test_colours_are_the_photos_where_that_is_wanted(colors, encoder):
    done, _ = painted(panned(3), encoder, replace(FEW, colors=colors))
    assert [frame.image.shape for frame in done] == [(64, 96, 3)] * 3
    assert warping_error(done) < 0.02


def test_stopped_it_ends_with_the_frame_as_it_is(encoder):
    asked = iter([*[False] * 33, *[True] * 99])
    done, frames = painted(panned(4), encoder, stop=lambda: next(asked))
    assert len(done) == 2
    assert frames[-1].frame.final


def test_what_cannot_be_painted_is_said_before_anything_is(encoder):
    with pytest.raises(InputError, match="no style picture"):
        painted(panned(2), encoder, style=[])
    with pytest.raises(InputError, match="does not exist"):
        stylize_clip("none.mp4", STYLE, SMALL, encoder=encoder)
