"""Gradio 6.31.0: its queue keeps messages that nobody fetches, and looks for work 1,000 times a second.

All that the page needs of the private `Blocks._queue` is here.
"""

from collections.abc import Callable

import gradio as gr


def rest_between_looks(demo: gr.Blocks) -> None:
    """Have the queue look for work 50 times a second: it costs paintings on the same cores their time."""
    demo._queue.sleep_when_free, demo._queue.progress_update_sleep_when_free = 0.02, 1.0


def is_known(demo: gr.Blocks, session: str) -> bool:
    """Return whether there are messages for a session, or may be."""
    return session in demo._queue.pending_messages_per_session


def session_of(demo: gr.Blocks, event_id: str) -> str:
    """Return the session of an event; an event of /call is its own."""
    event = demo._queue.event_ids_to_events.get(event_id)
    return str(event.session_hash) if event else event_id


def forget(demo: gr.Blocks, abandoned: Callable[[str], bool]) -> None:
    """Drop the messages of abandoned sessions in which nothing is under way, and the names of files."""
    queue = demo._queue
    busy = {event.session_hash for event in list(queue.event_ids_to_events.values())}
    for session in list(queue.pending_messages_per_session):
        if session not in busy and abandoned(session):
            queue.pending_messages_per_session.pop(session, None)
    for session in list(queue.pending_event_ids_session):
        if session not in queue.pending_messages_per_session:
            queue.pending_event_ids_session.pop(session, None)
    for paths in demo.temp_file_sets:  # a second list of what nst/runs/storage.py keeps
        paths.clear()
