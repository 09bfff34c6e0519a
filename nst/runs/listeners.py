"""Who still listens to a run: browsers, and programs that wait for its frames."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator


class Listeners:
    """Which events somebody listens to, by session."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: Counter[str] = Counter()
        self._left: dict[str, float] = {}  # when the last listener of a session left

    @contextlib.contextmanager
    def listening(self, session: str) -> Iterator[None]:
        """Listen for as long as the context lasts."""
        with self._lock:
            self._open[session] += 1
        try:
            yield
        finally:
            with self._lock:
                self._open[session] -= 1
                if not self._open[session]:
                    del self._open[session]
                    self._left[session] = time.monotonic()
                    while len(self._left) > 5000:
                        self._left.pop(next(iter(self._left)))

    def has_left(self, session: str) -> bool:
        """Return whether somebody has listened to a session and does so no more."""
        with self._lock:
            return session in self._left and not self._open[session]

    def alone_for(self, session: str, since: float) -> float:
        """Return the seconds for which nobody has listened to a session.

        Args:
            since: when its run began; before that nobody can have listened.
        """
        with self._lock:
            if self._open[session]:
                return 0.0
            return time.monotonic() - max(since, self._left.get(session, since))
