"""What a visit leaves in memory."""

from __future__ import annotations

import gc
import threading
import time
import tracemalloc

from gradio.state_holder import SessionState
from served import LIMITS, serving
from strangers import API, Stranger

from nst.gradio_faults import sessions
from nst.guard import guard


def visit(stranger: Stranger, session: str) -> None:
    """Do what a page does by itself when it is opened."""
    assert stranger.ask("GET", "/")[0] == 200
    done = set()
    for event in stranger.config["dependencies"]:  # and what follows by itself
        loads = any(kind == "load" for _, kind in event["targets"]) or event["trigger_after"] in done
        if loads and event["backend_fn"]:
            done.add(event["id"])
            assert stranger.fire(event, session)[0] == 200


def test_gradios_own_costs_much(demo):
    """If this fails: delete nst/gradio_faults/sessions.py."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    own = [SessionState(demo) for _ in range(3)]
    cost = (tracemalloc.get_traced_memory()[0] - before) / len(own)
    tracemalloc.stop()
    assert cost > 100_000


def test_a_visit_costs_little(demo):
    stranger, count, costs = Stranger(demo.local_url, ""), 6, []
    tracemalloc.start()
    for batch in range(4):  # what is left once, such as a thread or a cache, is not left each time
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        for number in range(count):
            visit(stranger, f"visit{batch}-{number}")
        gc.collect()
        costs.append((tracemalloc.get_traced_memory()[0] - before) / count)
    tracemalloc.stop()
    assert len(demo.app.state_holder.session_data) >= 4 * count
    assert min(costs) < 50_000, costs


def test_visits_are_forgotten_in_the_end(demo, monkeypatch):
    stranger = Stranger(demo.local_url, "")
    monkeypatch.setattr(demo.app.state_holder, "capacity", 20)
    present = len(demo.app.state_holder.session_data)
    for number in range(30):
        stranger.fire(stranger.event("go", "stop"), f"more{number}")
    assert len(demo.app.state_holder.session_data) <= max(present, 20) + 1  # one goes for each that comes
    assert sessions.MOST < 10_000
    assert demo.state_session_capacity == sessions.MOST


def test_messages_that_nobody_fetches_go(demo, monkeypatch):
    monkeypatch.setattr(guard, "_FORGOTTEN", 0.0)
    stranger = Stranger(demo.local_url, "")
    film, queue = stranger.making("film"), demo._queue
    for number in range(20):
        assert stranger.fire(film, f"nobody{number}")[0] == 200
    began = time.monotonic()
    while any(event.session_hash.startswith("nobody") for event in queue.event_ids_to_events.values()):
        assert time.monotonic() - began < 30
        time.sleep(0.05)
    stranger.fire(film, "somebody")
    assert not [one for one in queue.pending_messages_per_session if one.startswith("nobody")]
    assert not [one for one in queue.pending_event_ids_session if one.startswith("nobody")]


def test_a_session_that_nobody_knows_is_said_to_be_so_without_a_traceback(demo, capfd):
    stranger = Stranger(demo.local_url, "")
    for _ in range(5):
        status, _, body = stranger.ask("GET", f"{API}/queue/data?session_hash=nobody")
        assert status == 200
        assert b'"session_not_found": true' in body
        assert stranger.ask("GET", f"{API}/call/stylize/nobody")[0] == 404
    assert "Traceback" not in capfd.readouterr().err


def test_many_wait_and_take_no_thread(monkeypatch):
    from dataclasses import replace

    from strangers import jpeg

    with serving(replace(LIMITS, waiting=70, grace=600)) as demo:
        first = Stranger(demo.local_url, "1.1.0.1")
        photo = first.sent(jpeg())
        given = {"photo": photo, "style": photo, "size": 256, "iterations": 1000}
        before = threading.active_count()
        listening = []
        try:
            for number in range(60):
                somebody = Stranger(demo.local_url, f"1.1.{number // 3}.1")
                status, told = somebody.call(**given)
                assert status == 200
                listening.append(told["event_id"])
            began = time.monotonic()
            while (
                found := first.ask("GET", "/health")[2]
            ) != b'{"status": "ok", "painting": 1, "waiting": 59}':
                assert time.monotonic() - began < 60, found
                time.sleep(0.1)
            assert threading.active_count() < before + 45
            assert first.forecast(photo)[0] == 200
        finally:
            for number in listening:
                first.ask(
                    "POST", f"{API}/cancel", {"session_hash": number, "fn_index": 0, "event_id": number}
                )
