"""The benchmarks run and print what they say; no speed is asserted."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from nst.lab.bench import scaling, speed, startup
from nst.lab.bench.__main__ import main
from nst.vgg.encoder import Encoder
from nst.vgg.weights import KEYS


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> str:
    """A file of random weights of VGG-19's shapes down to relu5_1."""
    generator = torch.Generator().manual_seed(0)
    keys = KEYS.items()
    state = {key: 0.05 * torch.randn(shape, generator=generator) for key, shape in keys}
    file = tmp_path_factory.mktemp("weights") / "vgg.safetensors"
    save_file(state, file)
    return str(file)


def test_iterations_are_compared_in_one_run(weights, tmp_path, capsys):
    file = tmp_path / "found.json"
    command = ["iteration", "--sizes", "32", "48", "--rounds", "2", "--weights", weights, "--json", str(file)]
    assert main(command) == 0
    host, heading, *lines = capsys.readouterr().out.splitlines()
    assert f"torch {torch.__version__}" in host
    assert heading.split()[:2] == ["size", "encoder"]
    found = json.loads(file.read_text())
    assert found["host"]["torch"] == torch.__version__
    assert found["host"]["instructions"] in host
    rows = found["rows"]
    assert [[r["size"], r["encoder"]] for r in rows] == [
        [s, e] for s in (32, 48) for e in ("vgg19", "narrow")
    ]
    assert [line.split()[:2] for line in lines] == [[str(r["size"]), r["encoder"]] for r in rows]
    for vgg19, narrow in (rows[:2], rows[2:]):
        assert vgg19["median ratio"] == 1
        assert narrow["median ratio"] == narrow["median"] / vgg19["median"]


def test_convolutions_are_compared_one_by_one(weights, tmp_path, capsys):
    file = tmp_path / "found.json"
    command = ["convolution", "--sizes", "64", "--rounds", "1", "--weights", weights, "--json", str(file)]
    assert main(command) == 0
    _, heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split()[:3] == ["encoder", "size", "channels"]
    rows = json.loads(file.read_text())["rows"]
    assert len(lines) == len(rows)
    vgg19 = [row for row in rows if row["encoder"] == "vgg19"]
    assert sum(row["count"] for row in vgg19) == 13
    assert [row["channels"] for row in vgg19[:3]] == ["3 to 64", "64 to 64", "64 to 128"]
    for row in rows:
        assert row["ratio"] == row["winograd"] / row["multiplied"]
        assert row["taken"] in ("winograd", "multiplied")


def test_speed_paints_the_classic_recipe_beside_ours(weights, photo, painting, tmp_path, capsys):
    file, plot = tmp_path / "found.json", tmp_path / "plot.svg"
    command = ["speed", "--photo", str(photo), "--style", str(painting), "--weights", weights]
    command += ["--settings", '{"size": 64}', "--iterations", "10", "--ladder", "10", "20", "--by", "narrow"]
    assert main([*command, "--json", str(file), "--plot", str(plot)]) == 0
    found = json.loads(file.read_text())
    # The ladder ends early where a tenth of the classic recipe's residual is reached.
    painted = [(r["painter"], r["iterations"]) for r in found["rows"]]
    assert painted[:6] == [*(("classic", n) for n in (1, 2, 4, 7, 10)), ("narrow", 10)]
    classic = [row for row in found["rows"] if row["painter"] == "classic"]
    assert [row["seconds"] for row in classic] == sorted(row["seconds"] for row in classic)
    assert classic[-1]["residual"] < classic[0]["residual"]
    for ratio in found["ratios"]:
        assert ratio["residual"] <= ratio["share"] * classic[-1]["residual"]
        assert ratio["content"] <= classic[-1]["content"]
        assert ratio["times faster"] == pytest.approx(classic[-1]["seconds"] / ratio["seconds"])
    assert "photo.jpg with painting.png" in capsys.readouterr().out
    assert "<svg" in plot.read_text()


def test_without_matplotlib_it_says_what_to_install_before_measuring(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setattr(speed, "measure", lambda **options: pytest.fail("it began"))
    assert main(["speed", "--photo", "a.jpg", "--style", "b.jpg", "--plot", "plot.svg"]) == 2
    assert "pip install matplotlib" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_costs_no_findings(weights, tmp_path, capsys):
    file = tmp_path / "missing" / "found.json"
    command = ["iteration", "--sizes", "32", "--rounds", "1", "--weights", weights, "--json", str(file)]
    assert main(command) == 1
    printed = capsys.readouterr()
    assert "narrow" in printed.out
    assert "found.json cannot be written (No such file or directory)" in printed.err


def test_multiplications_are_those_of_the_layers(encoder):
    by_hand = 0
    width, height = 64, 48
    channels = [3] + [m.out_channels for m in encoder.features if isinstance(m, nn.Conv2d)]
    for index, shrink in enumerate((1, 1, 2, 2, 4, 4, 4, 4)):
        by_hand += 2 * 9 * channels[index] * channels[index + 1] * (width // shrink) * (height // shrink)
    assert scaling.multiply_adds(encoder, width, height) == by_hand


def test_average_pooling_halves_as_well(encoder):
    state = encoder.features.state_dict()
    averaging = Encoder({f"features.{k}": v for k, v in state.items()}, name="tiny", pooling="average")
    assert scaling.multiply_adds(averaging, 64, 48) == scaling.multiply_adds(encoder, 64, 48)


def test_scaling_sets_time_and_memory_against_the_floor(weights, tmp_path, capsys):
    file = tmp_path / "found.json"
    command = ["scaling", "--sizes", "64", "--rounds", "1", "--weights", weights, "--json", str(file)]
    assert main(command) == 0
    found = json.loads(file.read_text())
    best = max(found["multiply-adds per second"].values())
    for row in found["rows"]:
        assert row["of floor"] == pytest.approx(row["seconds"] / row["floor"])
        assert row["peak MB"] > 100
        assert row["traffic"] > 0
    vgg19, narrow = found["rows"]
    assert vgg19["floor"] * best == pytest.approx(2 * 361152 * 64 * 48)
    assert narrow["floor"] < vgg19["floor"] / 3
    assert narrow["traffic"] < vgg19["traffic"]
    assert found["bytes per second"] > 1e8
    assert "billion multiply-adds" in capsys.readouterr().out


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


def test_without_weights_it_says_so(capsys):
    assert main(["iteration", "--weights", "missing.safetensors"]) == 2
    assert "missing.safetensors does not exist" in capsys.readouterr().err
