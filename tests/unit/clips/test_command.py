"""Clips on the command line."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from test_reading import made_animation, made_film

from nst.cli import main
from nst.clips.reading import open_clip

QUICK = ["--size", "64", "--iterations", "10"]


@pytest.mark.parametrize(
    ("source", "output"),
    [("a.mp4", "out.mp4"), ("a.gif", "out.webp"), ("a.webp", "out.gif"), ("a.webm", "out.gif")],
)
def test_a_clip_becomes_a_clip(source, output, painting, tmp_path, capsys):
    film = source.rpartition(".")[2] in ("mp4", "webm")
    codec = {"codec": "libvpx"} if source.endswith("webm") else {}
    path = (made_film if film else made_animation)(tmp_path / source, **codec)
    arguments = [
        str(path),
        str(painting),
        "-o",
        str(tmp_path / output),
        *QUICK,
        "--frames",
        "3",
        "--fps",
        "10",
    ]
    assert main(arguments) == 0
    assert capsys.readouterr().out.startswith(f"{tmp_path / output}: 3 frames")
    clip = open_clip(tmp_path / output)
    assert (clip.count, clip.rate) == (3, 10)
    painted, before = next(clip.frames(64)), next(open_clip(path).frames(64))
    assert painted.std() > 10
    assert np.abs(painted[:42].astype(int) - before[:42]).mean() > 5  # a film's sides are even


def test_the_clips_own_size_can_be_asked_for(painting, tmp_path):
    path = made_animation(tmp_path / "a.gif", 2)
    few = ["--size", "photo", "--iterations", "10"]
    assert main([str(path), str(painting), "-o", str(tmp_path / "out.gif"), *few]) == 0
    assert open_clip(tmp_path / "out.gif").size == (96, 64)


def test_into_a_picture_goes_the_first_frame_of_a_gif(painting, tmp_path):
    path = made_animation(tmp_path / "a.gif")
    assert main([str(path), str(painting), "-o", str(tmp_path / "out.png"), *QUICK]) == 0
    assert Image.open(tmp_path / "out.png").size == (64, 43)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["a.mp4", "painting.png", "-o", "out.png"],
            "a.mp4 is a clip; paint it alone, into a file that ends in",
        ),
        (["photo.jpg", "a.mp4", "--style", "painting.png", "-o", "."], "a.mp4 is a clip; paint it alone"),
        (
            ["photo.jpg", "painting.png", "-o", "out.mp4"],
            "The photo is a picture that does not move; paint it into a PNG or JPEG.",
        ),
        (["none.mp4", "painting.png", "-o", "out.mp4"], "The photo none.mp4 does not exist."),
        (["broken.mp4", "painting.png", "-o", "out.mp4"], "The photo cannot be read as a clip"),
        (["a.mp4", "painting.png", "-o", "out.mp4", "--resume", "photo.jpg"], "--resume is for photos"),
        (["photo.jpg", "painting.png", "-o", "out.png", "--frames", "3"], "--frames is for clips"),
        (["a.mp4", "painting.png", "-o", "a.mp4"], "a.mp4 is a picture to paint from"),
    ],
)
def test_what_does_not_go_together_is_said(
    arguments, sentence, photo, painting, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    made_film(tmp_path / "a.mp4")
    (tmp_path / "broken.mp4").write_bytes(b"no")
    assert main(arguments) == 2
    errors = capsys.readouterr().err
    assert errors.startswith(f"error: {sentence}")
    assert errors.count("\n") == 1
    assert not (tmp_path / "out.mp4").exists()
