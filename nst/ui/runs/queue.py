"""The queue: who paints, who waits, and how long."""

from __future__ import annotations

import math
import threading
from collections.abc import Collection
from dataclasses import dataclass

from nst.errors import InputError


@dataclass(eq=False)
class Turn:
    """One run's place in the queue."""

    visitor: str  # whoever cannot be told from others is ""
    seconds: float = 0.0  # how long the run will take from now on, as far as is known
    ready: bool = False  # it could begin at once
    painter: str | None = None  # who paints it, once its turn has come


class Queue:
    """Gives each painter one run at a time; the others wait in the order in which they came.

    Who is not ready when a turn is to be had is passed over, and keeps the place.

    Args:
        waiting: how many runs may wait.
        each: how many of a visitor's runs may wait or paint at a time.
        painters: their names.
    """

    def __init__(self, waiting: int, each: int, painters: Collection[str] = ("",)) -> None:
        self.most, self.each = waiting, each
        self._lock = threading.Lock()
        self._painters = list(painters)
        self._turns: list[Turn] = []

    def join(self, visitor: str, *, again: bool = False) -> Turn:
        """Queue up until `leave`.

        Args:
            visitor: who asks, or "" where that cannot be told; then there is no limit for each.
            again: it has had its turn and lost its painter, so it comes before all who wait.

        Raises:
            InputError: the queue is full, or this visitor has enough runs in it.
        """
        turn = Turn(visitor)
        with self._lock:
            if again:
                self._turns.insert(0, turn)
                return turn
            if visitor and sum(other.visitor == visitor for other in self._turns) >= self.each:
                raise InputError(
                    f"You have {self.each} paintings under way here; stop one or let it finish first."
                )
            if self._waiting() >= self.most + self._free():
                raise InputError(
                    f"This host is full: {self.most} people are waiting; try again in about"
                    f" {minutes(self._seconds(self._turns))}."
                )
            self._turns.append(turn)
        return turn

    def leave(self, turn: Turn) -> None:
        """Give a place up, whether it paints or waits, if it is not given up yet."""
        with self._lock:
            if turn in self._turns:
                self._turns.remove(turn)
                self._begin_next()

    def is_ready(self, turn: Turn, seconds: float) -> None:
        """Let a run begin when its turn comes.

        Args:
            turn: its place.
            seconds: how long it will take, 0 where nothing is known.
        """
        with self._lock:
            turn.ready, turn.seconds = True, seconds
            self._begin_next()

    def ahead(self, turn: Turn) -> tuple[int, float]:
        """Return the place of a run that waits, 1 being the next, and the seconds until its turn."""
        with self._lock:
            before = self._turns[: self._turns.index(turn)]
            others = [other for other in self._turns if other.painter is not None and other not in before]
            waiting = sum(other.painter is None for other in before)
            return waiting + 1, self._seconds([*before, *others])

    def counts(self) -> tuple[int, int]:
        """Return how many runs paint and how many wait."""
        with self._lock:
            return len(self._turns) - self._waiting(), self._waiting()

    def offer(self, painters: Collection[str]) -> None:
        """Have other painters from now on; a run whose painter is gone keeps its turn until it leaves."""
        with self._lock:
            self._painters = list(painters)
            self._begin_next()

    def _waiting(self) -> int:
        return sum(turn.painter is None for turn in self._turns)

    def _free(self) -> int:
        return max(0, len(self._painters) - len(self._turns) + self._waiting())

    def _seconds(self, turns: Collection[Turn]) -> float:
        """Return how long all of these will take together."""
        return sum(turn.seconds for turn in turns) / max(1, len(self._painters))

    def _begin_next(self) -> None:
        at_work = {turn.painter for turn in self._turns}
        free = [painter for painter in self._painters if painter not in at_work]
        for turn in self._turns:
            if free and turn.ready and turn.painter is None:
                turn.painter = free.pop(0)


def minutes(seconds: float) -> str:
    """Return seconds as whole minutes, in words."""
    count = max(1, math.ceil(seconds / 60))
    return "a minute" if count == 1 else f"{count} minutes"
