"""How many threads compute, and how they wait; to be settled before torch is imported."""

from __future__ import annotations

import math
import os
from collections.abc import MutableMapping

from nst.host.cgroups import cpu_quota

# How often a thread that waits for the others looks before it sleeps. Left to itself GNU's OpenMP looks for
# some milliseconds, which is time taken from whoever else wants the core. On a machine of one's own sleeping
# early costs more than it gives (10,000 looks: 3 % alone, a sixth won beside a busy process); where the cores
# have other owners too, a short wait pays (1,000: a fifth alone, half won). 256 px on two cores, float32.
ALONE, SHARED = 10_000, 1_000


def cores() -> int:
    """Return how many cores this process may keep busy: by its affinity, its quota and its Space."""
    seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = [seen, cpu_quota() or math.inf, _number(os.environ.get("CPU_CORES", ""))]
    return max(1, math.floor(min(told)))


def prepare(environment: MutableMapping[str, str] = os.environ) -> None:
    """Have torch compute with as many threads as there are cores for it; what is already set counts more.

    Args:
        environment: where it is set.
    """
    environment.setdefault("OMP_NUM_THREADS", str(cores()))
    if "OMP_WAIT_POLICY" not in environment:
        shared = cores() < (os.cpu_count() or 1)
        environment.setdefault("GOMP_SPINCOUNT", str(SHARED if shared else ALONE))


def _number(text: str) -> float:
    """Return the positive number that a text is, without end if it is none."""
    try:
        value = float(text)
    except ValueError:
        return math.inf
    return value if value > 0 else math.inf
