"""How much a visitor may ask for in a while."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator

from nst.errors import InputError
from nst.ui.web.bodies import RefusedError

# For each kind of request: how many at once, how many a second from then on, how many under way.
RATES: dict[str, tuple[float, float, int]] = {
    "page": (80, 4, 40),
    "told": (80, 4, 40),
    "upload": (40, 1, 6),
    "join": (60, 4, 40),
    "direct": (400, 40, 40),
    "call": (40, 2, 12),
    "mcp": (40, 4, 4),
    "listen": (120, 10, 40),
    "progress": (80, 4, 12),
    "file": (1500, 100, 60),
    "health": (120, 10, 10),
}
# Those who cannot be told apart are given so many times as much together, all together of a kind likewise.
_CROWD = 12
_TOO_MUCH = "That is more than one visitor may ask for at a time; wait a moment and try again."


class Budgets:
    """What each visitor has left, by kind of request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: dict[tuple[str, str], tuple[float, float]] = {}  # (visitor, kind): left, when that was
        self._under_way: Counter[tuple[str, str]] = Counter()

    @contextlib.contextmanager
    def spend(self, visitor: str, kind: str) -> Iterator[None]:
        """Take one request off a budget, for as long as it lasts.

        Raises:
            RefusedError: there is nothing left.
        """
        if kind not in RATES:
            yield
            return
        burst, rate, most = RATES[kind]
        if not visitor:
            burst, rate, most = burst * _CROWD, rate * _CROWD, most * _CROWD
        key, now = (visitor, kind), time.monotonic()
        with self._lock:
            before, when = self._left.get(key, (burst, now))
            left = min(burst, before + rate * (now - when))
            if left < 1 or self._under_way[key] >= most:
                raise RefusedError(429, _TOO_MUCH)
            self._left[key] = (left - 1, now)
            self._under_way[key] += 1
            if len(self._left) > 20_000:
                self._forget(now)
        try:
            yield
        finally:
            with self._lock:
                self._under_way[key] -= 1
                if not self._under_way[key]:
                    del self._under_way[key]

    def _forget(self, now: float) -> None:
        """Drop what has filled up again."""
        for key, (left, when) in list(self._left.items()):
            burst, rate, _ = RATES[key[1]]
            if left + rate * (now - when) >= burst:
                del self._left[key]


class SideWork:
    """What is done beside the paintings, such as films: a little of it, a little of it for each.

    Args:
        each: how much of a visitor's may be under way.
        most: how much in all.
    """

    def __init__(self, each: int = 2, most: int = 8) -> None:
        self.each, self.most = each, most
        self._lock = threading.Lock()
        self._under_way: Counter[str] = Counter()

    @contextlib.contextmanager
    def place(self, visitor: str) -> Iterator[None]:
        """Take a place for as long as the context lasts.

        Raises:
            InputError: there is none left.
        """
        with self._lock:
            if visitor and self._under_way[visitor] >= self.each:
                raise InputError("You have asked for that already; it is on its way.")
            if self._under_way.total() >= self.most:
                raise InputError("This host is busy with other visitors' films; try again in a minute.")
            self._under_way[visitor] += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way[visitor] -= 1
                if not self._under_way[visitor]:
                    del self._under_way[visitor]
