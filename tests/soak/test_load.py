"""A crowd at the page, and what it leaves behind; `--full` for thirty visitors and two hundred runs."""

import pytest
from app_process import running
from load import paint, rush, siege
from pictures import jpeg
from strangers import Stranger


@pytest.fixture(scope="module")
def app():
    with running(NST_MAX_QUEUE="6") as app:
        yield app


def test_everybody_is_served_or_politely_refused(app, request):
    found = rush(app, *((30, 128) if request.config.getoption("--full") else (4, 64)))
    outcomes = found["outcomes"]
    assert set(outcomes) <= {"painted", "refused", "left", "read"}, outcomes
    assert outcomes["painted"] >= 1
    assert outcomes["read"] >= 1
    assert found["left over"] == (0, 0)
    assert found["p95 of a page load"] < 10  # a second on an idle machine


@pytest.mark.full
def test_nothing_grows(app):
    stranger, held = Stranger(app.url, ""), []
    for runs in (3, 200):  # of small pictures, of which few bytes are cached
        assert all("event: complete" in paint(stranger, jpeg()) for _ in range(runs))
        held.append(app.held())
    before, after = held
    assert after["MB"] < before["MB"] + 60
    assert after["threads"] <= before["threads"] + 4
    assert app.counts() == (0, 0)
    assert "Traceback" not in app.log.read_text()


def test_attackers_hold_nobody_up_and_leave_little(app, request):
    full = request.config.getoption("--full")
    before = app.log.stat().st_size
    found = siege(app, 10, 60) if full else siege(app, 2, 1)
    assert found["longest to the first frame"] < (15 if full else 60), found
    assert found["requests of attackers"] > 10, found
    assert set(found["health"]) == {"ok"}, found
    if full:
        assert found["longest to the page"] < 3, found
    assert found["after"]["MB"] < found["before"]["MB"] + (200 if full else 300), found
    assert not any(answer.split()[-1].startswith("5") for answer in found["answers"]), found
    assert app.counts() == (0, 0)
    assert app.log.stat().st_size - before < 200_000
    assert "Traceback" not in app.log.read_text()
