"""The command line as a process."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

from nst.cli import main
from nst.settings import KNOBS


def run(*arguments, **more) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "nst", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, **more)


def call(*arguments) -> int:
    """Run it in this process, which saves the start of another."""
    return main([str(argument) for argument in arguments])


def test_it_paints(photo, painting, tmp_path):
    out = tmp_path / "out.png"
    done = run(photo, painting, "-o", out, "--size", 96, "--iterations", 15, "--style-weight", "7.5", "-v")
    assert done.returncode == 0, done.stderr
    assert "96 x 64, 15 iterations" in done.stdout
    assert "weights: built in" in done.stderr
    assert "15/15" in done.stderr  # the progress bar
    image = Image.open(out)
    assert image.size == (96, 64)
    assert image.mode == "RGB"
    settings = json.loads(image.info["Settings"])
    assert settings["style_weight"] == 7.5
    assert settings["painted_with"] == "Built-in encoder"
    assert "weights" not in settings
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.png", "painting.png", "photo.jpg"]


def test_jpeg_and_several_styles(photo, painting, tmp_path):
    out = tmp_path / "out.jpg"
    done = run(photo, painting, painting, "-o", out, "--size", 64, "--iterations", 10, "--no-coarse-to-fine")
    assert done.returncode == 0, done.stderr
    assert Image.open(out).format == "JPEG"


@pytest.mark.parametrize("kind", ["mp4", "webp"])
def test_it_films_and_goes_on(photo, painting, tmp_path, kind, capsys):
    out, film, more = tmp_path / "out.png", tmp_path / f"film.{kind}", tmp_path / "more.png"
    small = ["--size", 128, "--iterations", 30]
    assert call(photo, painting, "-o", out, "--time-lapse", film, *small) == 0
    assert film.read_bytes()[:12].translate(None, b"\0")  # not empty; its content is looked at elsewhere
    assert call(photo, painting, "-o", more, "--resume", out, *small) == 0
    assert "15 iterations" in capsys.readouterr().out  # the last size's share


def test_a_painting_made_again_from_its_settings_is_the_same_file(photo, painting, tmp_path):
    one, two, three = (tmp_path / f"{n}.png" for n in (1, 2, 3))
    how = ["--size", 80, "--iterations", 12, "--initial", "noise", "--seed", 4, "--style-weight", 6.5]
    assert run(photo, painting, "-o", one, *how).returncode == 0
    assert call(photo, painting, "-o", two, "--settings-from", one) == 0
    assert one.read_bytes() == two.read_bytes()
    # What is said beside it counts more.
    assert call(photo, painting, "-o", three, "--settings-from", one, "--size", 64) == 0
    assert Image.open(three).size == (64, 43)


def test_masks_and_a_start(photo, painting, tmp_path):
    out, mask = tmp_path / "out.png", Image.new("L", (120, 80))
    mask.paste(255, (0, 0, 60, 80))
    mask.save(tmp_path / "mask.png")
    directed = ["--keep", tmp_path / "mask.png", "--region-2", tmp_path / "mask.png", "--edge", 0]
    arguments = [photo, painting, photo, "-o", out, "--start", painting, "--size", 120, "--iterations", 10]
    assert call(*arguments, *directed) == 0
    found, kept = (np.asarray(Image.open(path), int) for path in (out, photo))
    assert np.abs(found - kept)[:, :60].max() == 0
    assert np.abs(found - kept)[:, 60:].mean() > 5
    assert json.loads(Image.open(out).info["Settings"])["initial"] == "picture"


def test_help_knows_every_knob():
    text = run("--help").stdout
    for knob in KNOBS.values():
        assert "--" + knob.name.replace("_", "-") in text
        assert knob.help.split()[0] in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no.jpg", "PAINTING"], "The photo was not found: there is no file no.jpg."),
        (["PHOTO", "no.jpg"], "The style picture was not found"),
        (["PHOTO", "PAINTING", "--size", "nan"], "Size (size) is a whole number from 64 to 4096, not nan."),
        (["PHOTO", "PAINTING", "--iterations", "1e9"], "Iterations (iterations) is a whole number"),
        (
            ["PHOTO", "PAINTING", "--style-weight", "much"],
            "Style weight (style_weight) is a number from 0 to 10",
        ),
        (["PHOTO", "PAINTING", "--optimizer", "magic"], "invalid choice"),
        (["PHOTO", "PAINTING", "-o", "x.gif"], "neither PNG nor JPEG"),
        (["PHOTO", "PAINTING", "-o", "nowhere/x.png"], "does not exist"),
        (["PHOTO", "PAINTING", "--weights", "none.pth"], "none.pth does not exist"),
        (["PHOTO", "PHOTO", "--weights", "PHOTO"], "neither safetensors nor"),
        (["PHOTO"], "required: painting"),
        (["PHOTO", "PAINTING", "--time-lapse", "x.gif"], "neither MP4 nor WebP"),
        (["PHOTO", "PAINTING", "--resume", "PAINTING"], "other proportions than the photo"),
        (["PHOTO", "PAINTING", "--settings-from", "PHOTO"], "carries no settings; use a PNG"),
        (["PHOTO", "PAINTING", "--settings-from", "no.png"], "was not found: there is no file no.png"),
        (["PHOTO", "PAINTING", "--keep", "no.png"], "The mask of what to keep was not found"),
        (["PHOTO", "PAINTING", "--region-2", "PHOTO"], "more regions than style pictures"),
        (["PHOTO", "PAINTING", "--keep", "PAINTING"], "a mask has the photo's proportions"),
        (["PHOTO", "PAINTING", "--initial", "picture"], "no picture to start from"),
        (["PHOTO", "PAINTING", "--style-layers", "relu9_9"], "There is no layer 'relu9_9'"),
        (["PHOTO", "PAINTING", "--content-layer", "relu5_1"], "no layer relu5_1; it carries relu1_1"),
        (["PHOTO", *["PAINTING"] * 5], "There are 5 style pictures; 4 are the most"),
    ],
)
def test_misuse_is_one_sentence_and_exit_code_2(
    photo, painting, arguments, message, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    places = {"PHOTO": str(photo), "PAINTING": str(painting)}
    try:
        code = main([places.get(word, word) for word in arguments])
    except SystemExit as left:  # argparse's way out
        code = left.code
    assert code == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out.png").exists()


def test_misuse_as_a_process(photo):
    done = run(photo, "no.jpg")
    assert done.returncode == 2
    assert done.stderr == "error: The style picture was not found: there is no file no.jpg.\n"


def test_ctrl_c_keeps_the_picture(photo, painting, tmp_path):
    out = tmp_path / "out.png"
    command = [sys.executable, "-m", "nst", str(photo), str(painting), "-o", str(out), "--iterations", "1000"]
    process = subprocess.Popen(
        [*command, "--size", "512"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ.copy(),
    )
    seen = b""
    deadline = time.monotonic() + 60
    while b"/1000" not in seen and time.monotonic() < deadline:
        seen += process.stderr.read1(4096)
    process.send_signal(signal.SIGINT)
    output, rest = process.communicate(timeout=60)
    assert process.returncode == 130, rest
    assert b"the picture so far is kept" in rest
    assert b"Traceback" not in rest
    assert Image.open(io.BytesIO(out.read_bytes())).getbbox() is not None
    assert b"iterations" in output
