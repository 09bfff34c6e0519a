"""How much memory this process can still get, and the most it has held."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from nst.host.cgroups import memory_left, numbers

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

# Address space is taken by more than what is held: libraries that come at the first step, stacks, arenas.
_RESERVE = 2**29


def address_space_left(status: Path = Path("/proc/self/status")) -> int | None:
    """Return about how many bytes `ulimit -v` lets this process hold still, None without such a limit."""
    with contextlib.suppress(AttributeError, OSError, KeyError, ValueError):
        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            return max(0, limit - 1024 * numbers(status)["VmSize:"] - _RESERVE)
    return None


def available(
    meminfo: Path = Path("/proc/meminfo"),
    groups: Callable[[], int | None] = memory_left,
    own: Callable[[], int | None] = address_space_left,
) -> int | None:
    """Return the bytes of memory that this process can still get, or None where the system does not say.

    Args:
        meminfo: what Linux says of the machine.
        groups: returns what the control groups of this process have left.
        own: returns what its own limit has left.
    """
    limits = [groups(), own()]
    with contextlib.suppress(OSError, KeyError, ValueError):
        limits.append(1024 * numbers(meminfo)["MemAvailable:"])
    return min((one for one in limits if one is not None), default=None)


def peak(status: Path = Path("/proc/self/status")) -> int | None:
    """Return the most bytes of memory that this process has held at a time, or None without Linux.

    Not `getrusage`: what that says of a new process begins with what its parent held.
    """
    with contextlib.suppress(OSError, KeyError, ValueError):
        return 1024 * numbers(status)["VmHWM:"]
    return None
