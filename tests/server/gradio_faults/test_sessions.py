"""What a visit leaves in memory."""

import gc
import tracemalloc
from collections.abc import Callable

from conftest import eventually
from gradio.blocks import SessionState
from strangers import Stranger

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


def left_by(make: Callable[[int], object]) -> float:
    """Return the bytes that something leaves in memory each time."""
    gc.collect()
    tracemalloc.start()
    try:
        made = [make(number) for number in range(2)]
        gc.collect()
        return tracemalloc.get_traced_memory()[0] / len(made)
    finally:
        tracemalloc.stop()


def test_a_visit_costs_little_and_one_of_gradios_own_much(demo):
    """If it is the latter: delete nst/gradio_faults/sessions.py."""
    stranger = Stranger(demo.local_url, "")
    visit(stranger, "first")  # what is left once, such as a thread or a cache, is not left each time
    assert left_by(lambda number: visit(stranger, f"visit{number}")) < 50_000
    assert left_by(lambda number: SessionState(demo)) > 100_000
    assert demo.app.state_holder.capacity == sessions.MOST  # beyond that the oldest goes for each that comes


def test_messages_that_nobody_fetches_go(demo, monkeypatch):
    monkeypatch.setattr(guard, "_FORGOTTEN", 0.0)
    stranger, queue = Stranger(demo.local_url, ""), demo._queue
    film = stranger.making("film")
    for number in range(5):
        assert stranger.fire(film, f"nobody{number}")[0] == 200
    events = queue.event_ids_to_events
    eventually(lambda: not any(event.session_hash.startswith("nobody") for event in [*events.values()]))
    stranger.fire(film, "somebody")
    kept = {*queue.pending_messages_per_session, *queue.pending_event_ids_session}
    assert not [session for session in kept if session.startswith("nobody")]
