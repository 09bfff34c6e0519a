"""A clip painted frame by frame, each as the one before it, moved: from Python and on the command line."""

import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from clips import made_animation, made_film
from pictures import picture
from PIL import Image

from nst import InputError, Settings
from nst.cli import main
from nst.clips.clip import stylize_clip
from nst.clips.reading import open_clip
from nst.image.tensors import to_tensor
from nst.painting import stylize

SMALL = Settings(size=96, iterations=30)
WIDE = np.array(picture(160, 64, seed=4))
STYLE = picture(80, 80, seed=5)
STEP = 3  # pixels a frame


def panned(count):
    return [WIDE[:, STEP * number : STEP * number + 96].copy() for number in range(count)]


def painted(shots, encoder, settings=SMALL, style=STYLE, **more):
    """Paint shots of 96 x 64 as a clip; return the paintings, and all frames on the way to them."""
    frames = list(stylize_clip(np.stack(shots), style, settings, encoder=encoder, interval=0, **more))
    return [each.frame for each in frames if each.done], frames


def warping_error(frames):
    images = [to_tensor(frame.image) for frame in frames]
    errors = [(one[..., STEP:] - other[..., :-STEP]).square().mean() for one, other in pairwise(images)]
    return float(np.mean(errors))


def test_it_flickers_less_than_frame_by_frame_and_takes_less(encoder):
    shots = panned(5)
    done, frames = painted(shots, encoder)
    alone = [list(stylize(shot, STYLE, SMALL, encoder=encoder))[-1] for shot in shots]
    assert np.array_equal(done[0].image, alone[0].image)
    assert warping_error(done) < 0.4 * warping_error(alone)
    (iterations,) = {frame.iteration for frame in done[1:]}
    assert iterations < 0.35 * alone[0].iteration
    # The time that is left is the whole clip's.
    ends = [frame for frame in frames if frame.done]
    assert [frame.seconds for frame in ends] == sorted(frame.seconds for frame in ends)
    assert [frame.remaining > 0 for frame in ends] == [True] * 4 + [False]


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


def test_it_starts_from_a_picture_and_is_steered_and_the_settings_may_be_a_dictionary(encoder):
    own = np.full((64, 96, 3), (0, 0, 255), np.uint8)
    settings = {"size": 96, "iterations": 10, "initial": "picture"}
    wished = Settings(**settings, transparency=False, style_weight=8.0)
    begun, frames = painted(panned(2), encoder, settings, start=own, steer=lambda: wished)
    assert frames[0].frame.image[..., 2].mean() > frames[0].frame.image[..., 0].mean() + 60
    assert [frame.settings for frame in begun] == [wished] * 2


def test_what_cannot_be_painted_is_said_before_anything_is(encoder, monkeypatch):
    with pytest.raises(InputError, match="no style picture"):
        painted(panned(2), encoder, style=None)
    with pytest.raises(InputError, match="does not exist"):
        stylize_clip("none.mp4", STYLE, SMALL, encoder=encoder)
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(InputError, match=r'install it with: pip install "\.\[clips\]"'):
        painted(panned(2), encoder)


def test_a_film_becomes_a_film(painting, tmp_path, capsys):
    path, out = made_film(tmp_path / "a.mp4"), tmp_path / "out.mp4"
    few = ["--size", "64", "--iterations", "10", "--frames", "3", "--fps", "10"]
    assert main([str(path), str(painting), "-o", str(out), *few]) == 0
    assert capsys.readouterr().out.startswith(f"{out}: 3 frames")
    clip = open_clip(out)
    assert (clip.size, clip.count, clip.rate) == ((64, 42), 3, 10)  # a film's sides are even
    frame, before = next(clip.frames(64)), next(open_clip(path).frames(64))
    assert frame.std() > 10
    assert np.abs(frame.astype(int) - before[:42]).mean() > 5


def test_a_gif_becomes_a_webp_of_its_size_or_a_picture_of_its_first_frame(painting, tmp_path):
    path, few = made_animation(tmp_path / "a.gif", 3), ["--size", "photo", "--iterations", "10"]
    for name, frames in (("out.webp", 3), ("out.png", 1)):
        assert main([str(path), str(painting), "-o", str(tmp_path / name), *few]) == 0
        with Image.open(tmp_path / name) as opened:
            assert (opened.size, opened.n_frames) == ((96, 64), frames)
