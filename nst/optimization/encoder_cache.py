"""Results computed from pictures, kept for the next run with them, as long as their encoder is there."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Hashable, Mapping
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from torch import Tensor

from nst.host.byte_cache import ByteCache

T = TypeVar("T")

# Bytes kept for each encoder. A photo of 512 px takes 9 MB.
_KEPT = 128 * 2**20

_caches: WeakKeyDictionary[Any, ByteCache] = WeakKeyDictionary()
_finding = threading.Lock()


def kept(encoder: object, key: Hashable, make: Callable[[], T]) -> T:
    """Return the result that an encoder has for `key`, computed now if it is not there."""
    with _finding:
        cache = _caches.setdefault(encoder, ByteCache(_KEPT))
    result: T | None = cache.get(key)
    if result is None:
        result = make()
        cache.put(key, result, _bytes(result))
    return result


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
