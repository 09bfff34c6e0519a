"""A crowd at the page, and what it leaves behind; `--full` for thirty visitors and two hundred runs."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from app_process import running
from conftest import ROOT
from load import crowd, endurance
from siege import siege
from waiting import eventually


def test_an_app_goes_with_the_tests_however_they_end(tmp_path):
    (tmp_path / "app.py").write_text("import time; time.sleep(600)")
    code = "import sys; from pathlib import Path; from app_process import App; folder = Path(sys.argv[1])"
    code += "; print(App(folder, script=str(folder / 'app.py')).process.pid, flush=True); sys.stdin.read()"
    tests = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT / "tests" / "support",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with tests:
        stat = Path(f"/proc/{int(tests.stdout.readline())}/stat")
        assert " Z " not in stat.read_text()
        tests.kill()
    with contextlib.suppress(OSError):  # it is gone
        eventually(lambda: " Z " in stat.read_text())


@pytest.fixture(scope="module")
def app():
    with running(NST_MAX_QUEUE="6") as app:
        yield app


def test_everybody_is_served_or_politely_refused(app, request):
    full = request.config.getoption("--full")
    found = crowd(app, 30 if full else 6, size=128 if full else 64)
    outcomes = found["outcomes"]
    assert set(outcomes) <= {"painted", "stopped", "refused", "left", "read"}, outcomes
    assert outcomes["painted"] >= 1
    assert outcomes["read"] >= 1
    assert found["left over"] == (0, 0)
    assert found["p95 of a page load"] < 10  # a second on an idle machine: python tests/support/load.py


def test_nothing_grows(app, request):
    found = endurance(app, 200 if request.config.getoption("--full") else 6)
    before, after = found["before"], found["after"]
    assert after["MB"] < before["MB"] + 60
    assert after["threads"] <= before["threads"] + 4
    assert app.counts() == (0, 0)
    assert "Traceback" not in app.log.read_text()


def test_attackers_hold_nobody_up_and_leave_little(app, request):
    full = request.config.getoption("--full")
    before = app.log.stat().st_size
    found = siege(app, 10 if full else 2, 60 if full else 2)
    assert found["longest to the first frame"] < (15 if full else 60), found
    assert set(found["health"]) == {"ok"}, found
    if full:
        assert found["longest to the page"] < 3, found
    assert found["after"]["MB"] < found["before"]["MB"] + (200 if full else 300), found
    assert not any(answer.split()[-1].startswith("5") for answer in found["answers"]), found
    assert app.counts() == (0, 0)
    assert app.log.stat().st_size - before < 200_000
    assert "Traceback" not in app.log.read_text()
    if full:  # the short form leaves this to tests/soak/test_faults.py
        assert app.end() < 5
