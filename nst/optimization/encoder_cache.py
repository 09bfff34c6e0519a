"""Results computed from pictures, kept for the next run with them; the oldest are dropped first."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from torch import Tensor

T = TypeVar("T")

# Bytes kept for each encoder. A photo of 512 px takes 9 MB.
_KEPT = 128 * 2**20


class Cache:
    """Results by key, holding at most `limit` bytes of tensors; safe to use from several threads.

    Args:
        limit: bytes. A result larger than half of it is not kept, since it would displace all others.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self._results: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the result of `key`, computed now if it is not there."""
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
                return self._results[key][0]
        result = make()
        size = _bytes(result)
        with self._lock:
            if key not in self._results and size <= self.limit / 2:
                self._results[key] = result, size
                self.held += size
                while self.held > self.limit:
                    self.held -= self._results.popitem(last=False)[1][1]
        return result


_caches: WeakKeyDictionary[Any, Cache] = WeakKeyDictionary()
_finding = threading.Lock()


def cache_of(encoder: object) -> Cache:
    """Return the cache of an encoder, which lives as long as the encoder."""
    with _finding:
        return _caches.setdefault(encoder, Cache(_KEPT))


def digest(picture: Tensor) -> bytes:
    """Return a hash of a picture's shape and values."""
    hashed = hashlib.blake2b(str(picture.shape).encode(), digest_size=16)
    hashed.update(picture.detach().contiguous().cpu().numpy().data)
    return hashed.digest()


def _bytes(value: Any) -> int:
    """Return how much memory the tensors within `value` take."""
    if isinstance(value, Tensor):
        return value.nbytes
    if isinstance(value, Mapping):
        return sum(map(_bytes, value.values()))
    if isinstance(value, tuple | list):
        return sum(map(_bytes, value))
    return _bytes(vars(value)) if hasattr(value, "__dict__") else 0
