"""The benchmarks run and print what they say; no speed is asserted."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from conftest import tiny_convolutions
from torch import nn

from nst.lab.bench import iteration, scaling, speed, startup
from nst.lab.bench.__main__ import main
from nst.vgg.encoder import Encoder


@pytest.fixture
def run(vgg_file, tmp_path, capsys):
    """Return a function that runs a benchmark and gives what it found and what it printed."""

    def measured(*arguments):
        file = tmp_path / "found.json"
        assert main([*arguments, "--weights", str(vgg_file), "--json", str(file)]) == 0
        return json.loads(file.read_text()), capsys.readouterr().out

    return measured


@pytest.mark.parametrize(
    ("command", "columns", "count"),
    [
        ("iteration --sizes 32 48", ("size", "encoder"), 4),
        ("convolution --sizes 64", ("encoder", "size"), 20),
        ("scaling --sizes 32", ("encoder", "size"), 1),
    ],
)
def test_what_is_measured_is_printed_and_written(run, monkeypatch, command, columns, count):
    monkeypatch.setattr(scaling, "NAMES", ("vgg19",))  # each takes a process of its own
    found, printed = run(*command.split(), "--rounds", "1")
    host, *lines = printed.splitlines()
    assert f"torch {found['host']['torch']}" in host
    assert len(found["rows"]) == count
    labels = [[str(row[column]) for column in columns] for row in found["rows"]]
    assert [line.split()[:2] for line in lines[-count:]] == labels


def test_speed_paints_the_classic_recipe_beside_ours(run, photo, painting, tmp_path):
    plot = tmp_path / "plot.svg"
    command = ["speed", "--photo", str(photo), "--style", str(painting), "--plot", str(plot)]
    command += ["--settings", '{"size": 64}', "--iterations", "10", "--ladder", "10", "--by", "narrow"]
    found, printed = run(*command)
    painted = [(row["painter"], row["iterations"]) for row in found["rows"]]
    assert painted == [*(("classic", n) for n in (1, 2, 4, 7, 10)), ("narrow", 10)]
    *classic, _ = found["rows"]
    assert [row["seconds"] for row in classic] == sorted(row["seconds"] for row in classic)
    assert classic[-1]["residual"] < classic[0]["residual"]
    assert "photo.jpg with painting.png" in printed
    assert "<svg" in plot.read_text()


def test_a_ratio_is_that_of_the_first_painting_that_is_as_good():
    rows = [
        {"residual": 0.6, "content": 0.3, "seconds": 1.0},
        {"residual": 0.5, "content": 0.1, "seconds": 2.0},
        {"residual": 0.05, "content": 0.1, "seconds": 4.0},
    ]
    base = {"residual": 1.0, "content": 0.2, "seconds": 100.0}
    assert speed._ratio(rows, base, 1) == [{**rows[1], "share": 1, "times faster": 50.0}]
    assert speed._ratio(rows, base, 0.1) == [{**rows[2], "share": 0.1, "times faster": 25.0}]
    assert speed._ratio(rows[:2], base, 0.1) == []


def test_what_is_missing_is_said_before_anything_is_measured(monkeypatch, capsys):
    assert main(["iteration", "--weights", "missing.safetensors"]) == 2
    assert "missing.safetensors does not exist" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setattr(speed, "measure", lambda **options: pytest.fail("it began"))
    assert main(["speed", "--photo", "a.jpg", "--style", "b.jpg", "--plot", "plot.svg"]) == 2
    assert "pip install matplotlib" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_costs_no_findings(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(iteration, "measure", lambda **options: {"rows": []})
    assert main(["iteration", "--json", str(tmp_path / "missing" / "found.json")]) == 1
    printed = capsys.readouterr()
    assert "encoder" in printed.out
    assert "found.json cannot be written (No such file or directory)" in printed.err


def test_multiplications_are_those_of_the_layers(encoder):
    by_hand, written = 0, 0
    width, height = 64, 48
    channels = [3] + [m.out_channels for m in encoder.features if isinstance(m, nn.Conv2d)]
    for index, shrink in enumerate((1, 1, 2, 2, 4, 4, 4, 4)):
        positions = (width // shrink) * (height // shrink)
        by_hand += 2 * 9 * channels[index] * channels[index + 1] * positions
        written += channels[index + 1] * positions
    averaging = Encoder(tiny_convolutions(), name="tiny", pooling="average")
    for each in (encoder, averaging):
        assert scaling.multiply_adds(each, width, height) == by_hand
        assert scaling.least_traffic(each, width, height) == 4 * 4 * written  # float32, there and back twice


def test_growth_is_the_exponent_over_pixels():
    rows = [{"size": size, "seconds": 3e-6 * (size * size) ** 1.1} for size in (256, 512, 1024)]
    outside = [{"size": 128, "seconds": 9.0}]
    assert scaling.growth_of([*outside, *rows]) == pytest.approx(1.1)
    assert scaling.growth_of(rows[:1]) is None


@pytest.mark.full
def test_startup_measures_a_visit():
    # In a process of its own, as a browser may be open in this one; the size gives way to what is allowed.
    environment = {**os.environ, "NST_MAX_SIZE": "96"}
    command = [sys.executable, "-m", "nst.lab.bench", "startup", "--iterations", "10"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=400)
    assert done.returncode == 0, done.stderr
    for line in ("page ready", "first frame", "finished picture", "outside the optimisation", "p95"):
        assert line in done.stdout
    line = '2026 nst.runs: {"outcome": "finished", "seconds": 2.6, "painting": 2.51, "optimising": 2.04}'
    assert startup.LOG_LINE.search(line).groups() == ("2.04",)
