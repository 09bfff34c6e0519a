"""How much memory this process can still get, and the most it has held."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from nst.host.cgroups import memory_left, numbers


def available(
    meminfo: Path = Path("/proc/meminfo"), groups: Callable[[], int | None] = memory_left
) -> int | None:
    """Return the bytes of memory that this process can still get, or None where the system does not say.

    Args:
        meminfo: what Linux says of the machine.
        groups: returns what the control groups of this process have left.
    """
    limits = [groups()]
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
