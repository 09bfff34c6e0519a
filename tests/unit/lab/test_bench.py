"""The benchmarks run and print what they say, whatever the speed; the queue is simulated as theory says."""

import json
import sys

import pytest

from nst.lab import capacity
from nst.lab.bench import speed
from nst.lab.bench.__main__ import main


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
        ("iteration --sizes 32", ("size", "encoder"), 2),
        ("convolution --sizes 64", ("encoder", "size"), 20),
    ],
)
def test_what_is_measured_is_printed_and_written(run, command, columns, count):
    found, printed = run(*command.split(), "--rounds", "1")
    host, *lines = printed.splitlines()
    assert f"torch {found['host']['torch']}" in host
    assert len(found["rows"]) == count
    labels = [[str(row[column]) for column in columns] for row in found["rows"]]
    assert [line.split()[:2] for line in lines[-count:]] == labels


@pytest.mark.full
def test_a_painting_is_timed_beside_a_busy_process_and_under_a_quota(capsys):
    assert main(["crowd", "--size", "64", "--busy", "1", "--quotas", "0.5", "--rounds", "1"]) == 0
    assert [line.split()[:2] for line in capsys.readouterr().out.splitlines()[-2:]] == [
        ["1", "busy"],
        ["quota", "0.5"],
    ]


@pytest.mark.full
def test_speed_paints_the_classic_recipe_beside_ours(run, photo, painting, tmp_path):
    plot = tmp_path / "plot.svg"
    command = ["speed", "--photo", str(photo), "--style", str(painting), "--plot", str(plot)]
    command += ["--settings", '{"size": 64}', "--iterations", "10", "--ladder", "10", "--by", "narrow"]
    found, _ = run(*command)
    painted = [(row["painter"], row["iterations"]) for row in found["rows"]]
    assert painted == [*(("classic", n) for n in (1, 2, 4, 7, 10)), ("narrow", 10)]
    *classic, _ = found["rows"]
    assert [row["seconds"] for row in classic] == sorted(row["seconds"] for row in classic)
    assert classic[-1]["residual"] < classic[0]["residual"]
    assert "<svg" in plot.read_text()


def test_a_ratio_is_that_of_the_first_painting_that_is_as_good():
    painted = [{"residual": r, "content": c, "seconds": s} for r, c, s in ((0.6, 0.3, 1.0), (0.5, 0.1, 2.0))]
    base = {"residual": 1.0, "content": 0.2, "seconds": 100.0}
    assert speed._ratio(painted, base, 1) == [{**painted[1], "share": 1, "times faster": 50.0}]
    assert speed._ratio(painted, base, 0.1) == []


def test_what_is_missing_is_said_before_anything_is_measured(monkeypatch, capsys):
    assert main(["iteration", "--weights", "missing.safetensors"]) == 2
    assert "missing.safetensors does not exist" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setattr(speed, "measure", lambda **options: pytest.fail("it began"))
    assert main(["speed", "--photo", "a.jpg", "--style", "b.jpg", "--plot", "plot.svg"]) == 2
    assert "pip install matplotlib" in capsys.readouterr().err


def test_one_painter_waits_as_theory_says_and_several_less(capsys):
    # Pollaczek and Khinchine: the mean wait is rho s (1 + c^2) / (2 (1 - rho)); the median lies below.
    visitors, seconds = 120, 15.0
    rho = visitors * seconds / 3600
    mean = rho * seconds * (1 + 0.25**2) / (2 * (1 - rho))
    waits = [capacity.simulate(visitors, 1, seconds, seed=seed) for seed in range(8)]
    median, most = (sum(wait[place] for wait in waits) / len(waits) for place in (0, 1))
    assert 0 <= median < mean
    assert mean < most < 6 * mean
    too_few, enough = (capacity.simulate(1000, painters, 17.0).most for painters in (4, 10))
    assert too_few > 600
    assert enough < 1
    assert capacity.main(["--seconds", "2"]) == 0
    assert capsys.readouterr().out.count("\n| 10,000 |") == 3
