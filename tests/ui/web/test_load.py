"""A crowd at the page, and what it leaves behind; `--full` for thirty visitors and two hundred runs."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT
from load import crowd, endurance, running
from siege import siege


def test_an_app_goes_with_the_tests_however_they_end(tmp_path):
    (tmp_path / "app.py").write_text("import time; time.sleep(600)")
    code = "import sys; from pathlib import Path; from load import App; folder = Path(sys.argv[1])"
    code += "; print(App(folder, script=str(folder / 'app.py')).process.pid, flush=True); sys.stdin.read()"
    tests = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT / "tests",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with tests:
        stat = Path(f"/proc/{int(tests.stdout.readline())}/stat")
        assert " Z " not in stat.read_text()
        tests.kill()
    began = time.monotonic()
    with contextlib.suppress(FileNotFoundError):
        while " Z " not in stat.read_text():
            assert time.monotonic() - began < 20
            time.sleep(0.05)


@pytest.fixture(scope="module")
def app():
    with running(NST_MAX_QUEUE="6") as app:
        yield app


def test_everybody_is_served_or_politely_refused(app, request):
    found = crowd(app, 30 if request.config.getoption("--full") else 6)
    outcomes = found["outcomes"]
    assert set(outcomes) <= {"painted", "stopped", "refused", "left", "read"}, outcomes
    assert outcomes["painted"] >= 1
    assert outcomes["read"] >= 1
    assert found["left over"] == (0, 0)
    assert found["p95 of a page load"] < 10  # a second on an idle machine; see tests/load.py for the figure


@pytest.fixture
def full(request):
    """Skip without `--full`: what the short suite has elsewhere."""
    if not request.config.getoption("--full"):
        pytest.skip("in the long form only (--full)")


@pytest.mark.usefixtures("full")  # else tests/ui/runs/test_registry.py
def test_nothing_grows(app):
    found = endurance(app, 200)
    before, after = found["before"], found["after"]
    assert after["MB"] < before["MB"] + 60
    assert after["threads"] <= before["threads"] + 4
    assert app.counts() == (0, 0)
    assert "Traceback" not in app.log.read_text()


@pytest.mark.usefixtures("full")  # else each attack by itself, in tests/ui/web/test_strangers_*.py
def test_attackers_hold_nobody_up_and_leave_little(app):
    before = app.log.stat().st_size
    found = siege(app, 10, 60)
    assert found["longest to the first frame"] < 15, found
    assert found["health"]["status"] == "ok", found
    assert found["after"]["MB"] < found["before"]["MB"] + 300, found
    assert not any(answer.split()[-1].startswith("5") for answer in found["answers"]), found
    assert app.counts() == (0, 0)
    assert app.log.stat().st_size - before < 200_000
    assert "Traceback" not in app.log.read_text()
    assert app.end() < 5
