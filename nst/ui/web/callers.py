"""Who is still there: browsers and programs that listen to a run, assistants that wait for one."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field


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

    def alone_for(self, session: str, since: float) -> float:
        """Return the seconds for which nobody has listened to a session.

        Args:
            session: its hash.
            since: when its run began; before that nobody can have listened.
        """
        with self._lock:
            if self._open[session]:
                return 0.0
            return time.monotonic() - max(since, self._left.get(session, since))

    def sessions(self) -> set[str]:
        """Return the sessions that somebody listens to."""
        with self._lock:
            return set(self._open)


@dataclass
class Call:
    """One call of the MCP tool, which Gradio makes once more by itself, over HTTP."""

    visitor: str
    gone: threading.Event = field(default_factory=threading.Event)


class Calls:
    """The calls of MCP tools that are under way, by the word that tells them when they come in again."""

    HEADER = b"x-nst-call"

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}

    @contextlib.contextmanager
    def made(self, visitor: str) -> Iterator[tuple[bytes, Call]]:
        """Yield the word that stands for a call, which is gone when the context ends."""
        word, call = secrets.token_hex(16), Call(visitor)
        self._calls[word] = call
        try:
            yield word.encode(), call
        finally:
            call.gone.set()
            self._calls.pop(word, None)

    def under_way(self) -> int:
        """Return how many calls there are."""
        return len(self._calls)

    def find(self, word: str) -> Call | None:
        """Return the call that a word stands for."""
        return self._calls.get(word)
