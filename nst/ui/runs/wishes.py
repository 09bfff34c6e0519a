"""Runs in progress, by visitor: who paints, and what each wants of the run."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from nst.settings import Settings


@dataclass
class Wish:
    """What a visitor wants of a run that is waiting or in progress."""

    stop: threading.Event = field(default_factory=threading.Event)
    settings: Settings | None = None  # as the sliders stand by now, if they were moved


class Wishes:
    """One run at a time for each browser session, each with its wish."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wishes: dict[str, Wish] = {}

    def begin(self, session: str) -> Wish:
        """Return the wish for a run of `session`, which from now on can be stopped and steered."""
        with self._lock:
            wish = self._wishes[session] = Wish()
        return wish

    def end(self, session: str) -> None:
        """Forget the run of `session`."""
        with self._lock:
            self._wishes.pop(session, None)

    def stop(self, session: str) -> None:
        """Ask the run of `session`, if there is one, to end at its next iteration."""
        if wish := self._find(session):
            wish.stop.set()

    def steer(self, session: str, settings: Settings) -> bool:
        """Ask the run of `session` to go on with other settings; return whether there is one."""
        if wish := self._find(session):
            wish.settings = settings
        return wish is not None

    def _find(self, session: str) -> Wish | None:
        with self._lock:
            return self._wishes.get(session)
