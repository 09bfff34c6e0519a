"""How long visitors wait, by how many come and how many painters there are: a simulation of the queue.

python -m nst.lab.capacity --seconds 17
"""

from __future__ import annotations

import argparse
import heapq
import random
import sys
from collections.abc import Sequence
from typing import NamedTuple

VISITORS = (100, 1_000, 10_000)  # an hour
_HOURS = 8
_WARM = 0.25  # share of the time at the beginning, in which the queue fills, that is not counted


class Wait(NamedTuple):
    """Seconds that visitors wait for their turn."""

    median: float
    most: float  # of 95 in 100


def simulate(visitors: float, painters: int, seconds: float, spread: float = 0.25, seed: int = 0) -> Wait:
    """Return how long visitors wait that arrive as a Poisson process and are served in order.

    Args:
        visitors: an hour.
        painters: each paints one run at a time.
        seconds: that a painting takes in the mean.
        spread: standard deviation of that, as a share of it.
        seed: of the random numbers.
    """
    rng = random.Random(seed)  # noqa: S311 (no secret)
    free = [0.0] * painters  # when each will be free
    now, end, waits = 0.0, _HOURS * 3600.0, []
    while True:
        now += rng.expovariate(visitors / 3600)
        if now > end:
            break
        begins = max(now, heapq.heappop(free))
        heapq.heappush(free, begins + max(0.1, rng.gauss(seconds, spread * seconds)))
        if now > _WARM * end:
            waits.append(begins - now)
    waits.sort()
    return Wait(waits[len(waits) // 2], waits[int(0.95 * len(waits))]) if waits else Wait(0.0, 0.0)


def table(seconds: float) -> str:
    """Return the waits as Markdown, for painters from too few to enough."""
    lines = [
        "| visitors an hour | painters | at work | median wait | 95 of 100 wait less than |",
        "|---|---|---|---|---|",
    ]
    for visitors in VISITORS:
        needed = visitors * seconds / 3600
        least = max(1, int(needed) + 1)
        some, many = max(least + 1, round(1.1 * needed)), max(least + 2, round(1.3 * needed))
        for painters in sorted({least, some, many}):
            wait = simulate(visitors, painters, seconds)
            at_work = f"{needed / painters:.0%}"
            lines.append(
                f"| {visitors:,} | {painters} | {at_work} | {wait.median:.0f} s | {wait.most:.0f} s |"
            )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, required=True, help="that one painting takes")
    chosen = parser.parse_args(arguments)
    if not 0.1 <= chosen.seconds <= 3600:
        parser.error("--seconds is a number from 0.1 to 3600")
    print(table(chosen.seconds))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
