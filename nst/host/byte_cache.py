"""What was computed or read, kept in memory for the next time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any


class ByteCache:
    """Values by key, of at most so many bytes; the longest unused goes first. Any thread may use it."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._items: dict[Any, tuple[Any, int]] = {}

    @property
    def nbytes(self) -> int:
        return sum(nbytes for _, nbytes in self._items.values())

    def get(self, key: Hashable) -> Any:
        """Return a value, not to be changed; None if it is not kept."""
        with self._lock:
            if item := self._items.pop(key, None):
                self._items[key] = item  # behind all others
            return item and item[0]

    def put(self, key: Hashable, value: Any, nbytes: int) -> None:
        """Keep a value, unless it takes more than half of all bytes: it would displace all others."""
        if nbytes > self.most // 2:
            return
        with self._lock:
            self._items[key] = value, nbytes
            while self.nbytes > self.most:
                del self._items[next(iter(self._items))]

    def forget(self, which: Callable[[Any], bool]) -> None:
        """Keep nothing any more whose key is one of these."""
        with self._lock:
            self._items = {key: item for key, item in self._items.items() if not which(key)}
