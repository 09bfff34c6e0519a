"""How much one client may ask for in a while: every limit of a request is here."""

from __future__ import annotations

import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from starlette.exceptions import HTTPException

from nst.painters.scheduler import accounts


class Limit(NamedTuple):
    """Of one kind of request; what is left out holds for kinds that are not listed too."""

    # A page has some 80 files, and an office or a school opens many pages at once.
    burst: float = 3000  # requests at once,
    rate: float = 200  # and in each second from then on
    under_way: int = 100
    body: int = 2**14  # bytes


MOST_FILE = 40 * 2**20
TOO_LARGE = f"A file may have {MOST_FILE // 2**20} MB at most; make it smaller first."
_KINDS = {
    "page": Limit(80, 4, 40),
    "config": Limit(80, 4, 40),
    "upload": Limit(40, 1, 6, MOST_FILE + 2**20),  # and what stands around a file
    "join": Limit(60, 4, 40, 2**22),  # a drawing goes along with what is painted
    "direct": Limit(400, 40, 40, 2**20),
    "call": Limit(40, 2, 12, 48 * 2**20),  # pictures as data: URLs
    "mcp": Limit(40, 4, 4, 48 * 2**20),
    "listen": Limit(120, 10, 40),
    "await": Limit(120, 10, 40),
    "progress": Limit(80, 4, 12),
    "file": Limit(1500, 100, 60),
    "health": Limit(120, 10, 10),
}
LIMITS: defaultdict[str, Limit] = defaultdict(Limit, _KINDS)
# Requests of all kinds together that are under way: an answer that nobody reads takes a place too.
UNDER_WAY = 150
_REMEMBERED = 20_000  # accounts and kinds
_TOO_MUCH = "That is more than one visitor may ask for at a time; wait a moment and try again."


class Budgets:
    """What each client has left, by account and kind of request; used in one event loop only."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, str], tuple[float, float]] = {}  # (account, kind): left, when that was
        self._under_way: Counter[tuple[str, str]] = Counter()  # and of the kind "" all kinds together

    @contextlib.contextmanager
    def spend(self, client: str, kind: str) -> Iterator[None]:
        """Take one request off the budgets, for as long as it lasts; raise HTTPException for nothing left."""
        burst, rate, most, _ = LIMITS[kind]
        now, left = time.monotonic(), {}
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
                raise HTTPException(429, _TOO_MUCH)
        self._left.update({key: (value, now) for key, value in left.items()})
        while len(self._left) > _REMEMBERED:
            del self._left[next(iter(self._left))]
        taken = Counter([*left, *((account, "") for account, _ in left)])
        self._under_way += taken
        try:
            yield
        finally:
            self._under_way -= taken
