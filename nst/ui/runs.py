"""Runs in progress, by visitor: who paints, and who wants to stop."""

from __future__ import annotations

import threading


class Runs:
    """One run at a time for each browser session, each with its wish to stop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wishes: dict[str, threading.Event] = {}

    def ask(self, session: str) -> None:
        """Note that `session` has asked for a run: from now on it can be stopped, also while it waits."""
        with self._lock:
            self._wishes[session] = threading.Event()

    def begin(self, session: str) -> threading.Event:
        """Return the event that says "stop" to the run that `session` has asked for."""
        with self._lock:
            return self._wishes.setdefault(session, threading.Event())

    def end(self, session: str) -> None:
        """Forget the run of `session`."""
        with self._lock:
            self._wishes.pop(session, None)

    def stop(self, session: str) -> None:
        """Ask the run of `session`, if there is one, to end at its next iteration."""
        with self._lock:
            wish = self._wishes.get(session)
        if wish is not None:
            wish.set()
