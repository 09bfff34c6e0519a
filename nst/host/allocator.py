"""Keeping the C library from handing memory back between iterations."""

from __future__ import annotations

import contextlib
import ctypes
import threading
from functools import lru_cache

# glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8
# Seconds without a further painting after which nobody is likely to need the memory again.
_IDLE = 5.0

_lock = threading.Lock()
_due = threading.Timer(0, lambda: None)
_keeps = False


@lru_cache(maxsize=1)
def keep_freed() -> bool:
    """Let freed memory be used again instead of returned to the system; return whether that worked.

    Every iteration needs the same buffers of many megabytes as the one before. Left to itself, glibc maps
    and unmaps each, and the system clears thousands of pages anew: seen to cost up to a third of
    an iteration. Call it before the threads start that are to profit. Only glibc is affected, and all of the
    process: that is for a program to choose, and not for a library that it uses.
    """
    global _keeps
    with contextlib.suppress(AttributeError, OSError, TypeError):  # no glibc: nothing to set
        library = ctypes.CDLL(None)
        wanted = ((_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, 2**31 - 1), (_M_ARENA_MAX, 1))
        taken = [library.mallopt(option, value) == 1 for option, value in wanted]
        _keeps = all(taken)
    return _keeps


def give_back_when_idle(seconds: float = _IDLE) -> None:
    """Return what is free to the system after some time, counted anew with every call.

    At once it would hold up the finished picture, and the next painting would have all pages cleared anew.
    Where freed memory is not kept it does nothing.
    """
    global _due
    if not _keeps:
        return
    with _lock:
        _due.cancel()
        _due = threading.Timer(seconds, give_back)
        _due.daemon = True
        with contextlib.suppress(RuntimeError):  # no further thread is allowed, or there is no memory for one
            _due.start()


def give_back() -> None:
    """Return what is free to the system after all."""
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
