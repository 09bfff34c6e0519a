"""How much a visitor may ask for in a while."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator

from nst.guard.bodies import RefusedError
from nst.painters.accounts import accounts

# For each kind of request: how many at once, how many a second from then on, how many under way.
RATES: dict[str, tuple[float, float, int]] = {
    "page": (80, 4, 40),
    "config": (80, 4, 40),
    "upload": (40, 1, 6),
    "join": (60, 4, 40),
    "direct": (400, 40, 40),
    "call": (40, 2, 12),
    "mcp": (40, 4, 4),
    "listen": (120, 10, 40),
    "await": (120, 10, 40),
    "progress": (80, 4, 12),
    "file": (1500, 100, 60),
    "health": (120, 10, 10),
}
# Of every other kind. A page has some 80 files, and an office or a school opens many pages at once.
OTHERS = (3000, 200, 100)
# Requests of all kinds together that are under way: an answer that nobody reads takes a place too.
UNDER_WAY = 150
_REMEMBERED = 20_000  # accounts and kinds
_TOO_MUCH = "That is more than one visitor may ask for at a time; wait a moment and try again."


class Budgets:
    """What each client has left, by account and kind of request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left: dict[tuple[str, str], tuple[float, float]] = {}  # (account, kind): left, when that was
        self._under_way: Counter[tuple[str, str]] = Counter()  # and of the kind "" all kinds together

    @contextlib.contextmanager
    def spend(self, client: str, kind: str) -> Iterator[None]:
        """Take one request off the budgets, for as long as it lasts.

        Raises:
            RefusedError: there is nothing left.
        """
        burst, rate, most = RATES.get(kind, OTHERS)
        now, left = time.monotonic(), {}
        with self._lock:
            for account, share in accounts(client):
                key = (account, kind)
                # Put behind all others: those that have asked for nothing for longest are forgotten first.
                before, when = self._left[key] = self._left.pop(key, (burst * share, now))
                left[key] = min(burst * share, before + rate * share * (now - when)) - 1
                if (
                    left[key] < 0
                    or self._under_way[key] >= most * share
                    or self._under_way[account, ""] >= UNDER_WAY * share
                ):
                    raise RefusedError(429, _TOO_MUCH)
            taken = [*left, *((account, "") for account, _ in left)]
            self._left.update({key: (value, now) for key, value in left.items()})
            while len(self._left) > _REMEMBERED:
                del self._left[next(iter(self._left))]
            self._under_way.update(taken)
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= Counter(taken)
