"""A clip painted frame by frame, each as the one before it, moved."""

from __future__ import annotations

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
WIDE = np.array(picture(160, 64, seed=4))
STYLE = picture(80, 80, seed=5)


@dataclass(frozen=True)
class Shots(Clip):
    """A clip of arrays."""

    shots: tuple = ()

    def frames(self, longest):
        yield from self.shots


def clip_of(*shots):
    height, width = shots[0].shape[:2]
    return Shots(Path(), (width, height), Fraction(10), len(shots) / 10, True, None, True, shots)


def panned(count, step=3):
    return [WIDE[:, step * number : step * number + 96].copy() for number in range(count)]


def painted(clip, encoder, settings=SMALL, **more):
    frames = list(stylize_clip(clip, STYLE, settings, encoder=encoder, interval=0, **more))
    return [each.frame for each in frames if each.done], frames


def warping_error(frames, step=3):
    images = [to_tensor(frame.image) for frame in frames]
    errors = [(one[..., step:] - other[..., :-step]).square().mean() for one, other in pairwise(images)]
    return float(np.mean(errors))


def test_it_flickers_less_than_frame_by_frame_and_takes_less(encoder):
    shots = panned(5)
    done, _ = painted(clip_of(*shots), encoder)
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
    done, _ = painted(clip_of(*shots), encoder)
    images = [frame.image[44:].astype(int) for frame in done]
    assert np.abs(images[-1] - images[0]).mean() < 1


def test_what_becomes_lighter_little_by_little_is_painted_lighter(encoder):
    shots = [(WIDE[:, :96] * (0.5 + 0.02 * number)).astype(np.uint8) for number in range(16)]
    done, _ = painted(clip_of(*shots), encoder, replace(SMALL, colors="luminance", content_weight=10))
    assert done[-1].image.mean() > 1.2 * done[0].image.mean()


def test_each_frame_is_seen_while_it_is_painted(encoder):
    done, frames = painted(clip_of(*panned(2)), encoder)
    assert [each.number for each in frames] == sorted(each.number for each in frames)
    assert {each.count for each in frames} == {2}
    assert sum(each.number == 1 for each in frames) == done[1].iteration
    assert "temporal" in done[1].losses
    assert "temporal" not in done[0].losses


def test_another_scene_begins_anew(encoder):
    other = 255 - np.array(picture(96, 64, seed=9))
    done, _ = painted(clip_of(WIDE[:, :96], WIDE[:, 3:99], other), encoder)
    assert [frame.iteration for frame in done][::2] == [30, 30]
    assert done[1].iteration < 30


def test_masks_hold_for_the_whole_clip(encoder):
    keep = np.zeros((64, 96, 3), np.uint8)
    keep[:, :40] = 255
    shots = panned(3)
    done, _ = painted(clip_of(*shots), encoder, Settings(size=96, iterations=20, edge=0), keep=keep)
    for shot, frame in zip(shots, done, strict=True):
        kept = np.abs(frame.image[:, :36].astype(int) - shot[:, :36])
        assert kept.max() <= 2
        assert np.abs(frame.image[:, 50:].astype(int) - shot[:, 50:]).mean() > 5


@pytest.mark.parametrize("colors", ["luminance", "match-before", "match-after"])
def test_colours_are_the_photos_where_that_is_wanted(colors, encoder):
    done, _ = painted(clip_of(*panned(3)), encoder, Settings(size=96, iterations=20, colors=colors))
    assert [frame.image.shape for frame in done] == [(64, 96, 3)] * 3
    assert warping_error(done) < 0.02


def test_stopped_it_ends_with_the_frame_as_it_is(encoder):
    asked = iter([*[False] * 33, *[True] * 99])
    done, frames = painted(clip_of(*panned(4)), encoder, stop=lambda: next(asked))
    assert len(done) == 2
    assert frames[-1].frame.final


def test_what_cannot_be_painted_is_said_before_anything_is(encoder):
    with pytest.raises(InputError, match="no style picture"):
        next(stylize_clip(clip_of(*panned(2)), [], SMALL, encoder=encoder))
    with pytest.raises(InputError, match="does not exist"):
        stylize_clip("none.mp4", STYLE, SMALL, encoder=encoder)
