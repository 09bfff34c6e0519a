"""The one easel of this host: who paints, who waits, and how long."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from nst.errors import InputError


@dataclass(eq=False)
class Turn:
    """One run's place at the easel or in the queue before it."""

    visitor: str  # whoever cannot be told from others is ""
    seconds: float  # how long the run will take from now on, as far as is known
    begun: threading.Event = field(default_factory=threading.Event)


class Easel:
    """Lets one run at a time paint; the others wait in the order in which they came.

    Two processes or threads that paint on the same cores were seen to slow each other down sevenfold.

    Args:
        waiting: how many runs may wait.
        each: how many of a visitor's runs may wait or paint at a time.
    """

    def __init__(self, waiting: int, each: int) -> None:
        self.most, self.each = waiting, each
        self._lock = threading.Lock()
        self._turns: list[Turn] = []  # the first one paints

    @contextlib.contextmanager
    def turn(self, visitor: str, seconds: float) -> Iterator[Turn]:
        """Queue up for as long as the context lasts.

        Args:
            visitor: who asks, or "" where that cannot be told; then there is no limit for each.
            seconds: how long the run will take.

        Raises:
            InputError: the queue is full, or this visitor has enough runs in it.
        """
        turn = Turn(visitor, seconds)
        with self._lock:
            if visitor and sum(other.visitor == visitor for other in self._turns) >= self.each:
                raise InputError(
                    f"You have {self.each} paintings under way here; stop one or let it finish first."
                )
            if len(self._turns) > self.most:
                raise InputError(
                    f"This host is full: {self.most} people are waiting; try again in about"
                    f" {minutes(sum(other.seconds for other in self._turns))}."
                )
            self._turns.append(turn)
            self._begin_next()
        try:
            yield turn
        finally:
            with self._lock:
                self._turns.remove(turn)
                self._begin_next()

    def ahead(self, turn: Turn) -> tuple[int, float]:
        """Return the place of a run that waits, 1 being the next, and the seconds until its turn."""
        with self._lock:
            place = self._turns.index(turn)
            return place, sum(other.seconds for other in self._turns[:place])

    def counts(self) -> tuple[int, int]:
        """Return how many runs paint and how many wait."""
        with self._lock:
            return min(len(self._turns), 1), max(len(self._turns) - 1, 0)

    def _begin_next(self) -> None:
        if self._turns:
            self._turns[0].begun.set()


def minutes(seconds: float) -> str:
    """Return seconds as whole minutes, in words."""
    count = max(1, math.ceil(seconds / 60))
    return "a minute" if count == 1 else f"{count} minutes"
