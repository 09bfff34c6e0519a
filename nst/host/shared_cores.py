"""How many threads compute while others use the same cores."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import torch

_AGAIN = 0.4  # seconds between two looks: the system counts in hundredths
_STAT = Path("/proc/stat")


def busy_seconds(file: Path = _STAT) -> float | None:
    """Return for how long this process's cores have been busy since the start; None where nobody knows.

    Those of a rented machine that its owner has given to others count too ("steal", proc_stat(5)).
    """
    try:
        here, tick = os.sched_getaffinity(0), os.sysconf("SC_CLK_TCK")
        lines = [line.split() for line in file.read_text("ascii").splitlines() if line.startswith("cpu")]
        # user, nice, system, idle, iowait, irq, softirq, steal
        cores = [[int(number) for number in line[1:9]] for line in lines if line[0][3:] in map(str, here)]
    except (AttributeError, OSError, ValueError):
        return None
    return sum(sum(core) - core[3] - core[4] for core in cores) / tick if cores else None


class SharedCores:
    """Leaves to others the cores that they keep busy: threads of one team wait for the slowest at each step.

    What that gives `python -m nst.lab.bench crowd` shows. The picture is another one then, as another number
    of threads takes sums in another order.

    Args:
        most: threads.
        cores: that this process may use; if left out, those of its affinity.
        busy: as `busy_seconds`.
        own: seconds of this process on all cores.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        most: int,
        cores: int = 0,
        busy: Callable[[], float | None] = busy_seconds,
        own: Callable[[], float] = time.process_time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.most, self.threads = most, most
        self._busy, self._own, self._clock = busy, own, clock
        self._cores = cores or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else most)
        self._before: tuple[float, float, float] | None = None  # clock, busy, own

    def look(self) -> int:
        """Return how many threads are to compute from now on, at least one."""
        now = self._clock()
        if self._before and now - self._before[0] < _AGAIN:
            return self.threads
        busy, own = self._busy(), self._own()
        if busy is None:
            return self.most
        if self._before:
            then, busy_then, own_then = self._before
            others = (busy - busy_then - (own - own_then)) / (now - then)
            self.threads = min(max(1, round(self._cores - others)), self.most)
        self._before = now, busy, own
        return self.threads

    def following(self, asked: Callable[[], bool]) -> Callable[[], bool]:
        """Return a function that has torch compute so in the thread that calls it, and answers as `asked`."""

        def follow() -> bool:
            if self.most > 1 and self.look() != torch.get_num_threads():
                torch.set_num_threads(self.threads)
            return asked()

        return follow
