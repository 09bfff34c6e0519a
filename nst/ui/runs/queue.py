"""The queue of this host: who paints, who waits, and how long."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from nst.errors import InputError


@dataclass(eq=False)
class Turn:
    """One run's place in the queue; the first one paints."""

    visitor: str  # whoever cannot be told from others is ""
    seconds: float  # how long the run will take from now on, as far as is known
    ready: bool = True  # it could begin at once
    begun: threading.Event = field(default_factory=threading.Event)


class Queue:
    """Lets one run at a time paint; the others wait in the order in which they came.

    Who is not ready when a turn is to be had is passed over, and keeps the place.

    Two processes or threads that paint on the same cores were seen to slow each other down sevenfold.

    Args:
        waiting: how many runs may wait.
        each: how many of a visitor's runs may wait or paint at a time.
    """

    def __init__(self, waiting: int, each: int) -> None:
        self.most, self.each = waiting, each
        self._lock = threading.Lock()
        self._turns: list[Turn] = []
        self._painting: Turn | None = None

    @contextlib.contextmanager
    def turn(self, visitor: str, seconds: float, *, ready: bool = True) -> Iterator[Turn]:
        """Queue up for as long as the context lasts.

        Args:
            visitor: who asks, or "" where that cannot be told; then there is no limit for each.
            seconds: how long the run will take.
            ready: whether it can begin; if not, `is_ready` is to be called.

        Raises:
            InputError: the queue is full, or this visitor has enough runs in it.
        """
        turn = Turn(visitor, seconds, ready)
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
                if self._painting is turn:
                    self._painting = None
                self._begin_next()

    def is_ready(self, turn: Turn) -> None:
        """Let a run begin when its turn comes."""
        with self._lock:
            turn.ready = True
            self._begin_next()

    def ahead(self, turn: Turn) -> tuple[int, float]:
        """Return the place of a run that waits, 1 being the next, and the seconds until its turn."""
        with self._lock:
            before = self._turns[: self._turns.index(turn)]
            if self._painting is not None and self._painting not in before:
                before.append(self._painting)
            return max(1, len(before)), sum(other.seconds for other in before)

    def counts(self) -> tuple[int, int]:
        """Return how many runs paint and how many wait."""
        with self._lock:
            painting = int(self._painting is not None)
            return painting, len(self._turns) - painting

    def _begin_next(self) -> None:
        if self._painting is None and (ready := [turn for turn in self._turns if turn.ready]):
            self._painting = ready[0]
            self._painting.begun.set()


def minutes(seconds: float) -> str:
    """Return seconds as whole minutes, in words."""
    count = max(1, math.ceil(seconds / 60))
    return "a minute" if count == 1 else f"{count} minutes"
