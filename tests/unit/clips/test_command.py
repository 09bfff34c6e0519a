"""Clips on the command line."""

from __future__ import annotations

import numpy as np
import pytest
from clips import made_animation, made_film
from PIL import Image

from nst.cli import main
from nst.clips.reading import open_clip


@pytest.mark.parametrize(
    ("make", "source", "output", "size", "sides"),
    [
        (made_film, "a.mp4", "out.mp4", "64", (64, 42)),  # a film's sides are even
        (made_animation, "a.gif", "out.webp", "photo", (96, 64)),
    ],
)
def test_a_clip_becomes_a_clip(make, source, output, size, sides, painting, tmp_path, capsys):
    path, out = make(tmp_path / source), tmp_path / output
    few = ["--size", size, "--iterations", "10", "--frames", "3", "--fps", "10"]
    assert main([str(path), str(painting), "-o", str(out), *few]) == 0
    assert capsys.readouterr().out.startswith(f"{out}: 3 frames")
    clip = open_clip(out)
    assert (clip.size, clip.count, clip.rate) == (sides, 3, 10)
    painted, before = next(clip.frames(sides[0])), next(open_clip(path).frames(sides[0]))
    assert painted.std() > 10
    assert np.abs(painted.astype(int) - before[: sides[1]]).mean() > 5


def test_into_a_picture_goes_the_first_frame_of_a_gif(painting, tmp_path):
    path, out = made_animation(tmp_path / "a.gif"), tmp_path / "out.png"
    assert main([str(path), str(painting), "-o", str(out), "--size", "64", "--iterations", "10"]) == 0
    assert Image.open(out).size == (64, 43)
