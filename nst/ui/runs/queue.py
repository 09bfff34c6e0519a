"""The queue: who paints, who waits, and how long."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from itertools import takewhile

from nst.errors import InputError
from nst.ui.runs.accounts import accounts


@dataclass(eq=False)
class Turn:
    """One run's place in the queue."""

    visitor: str  # whoever cannot be told from others is ""
    seconds: float = 0.0  # how long the run will take from now on, as far as is known
    ready: bool = False  # it could begin at once
    again: bool = False  # it has lost its painter
    painter: str | None = None  # who paints it, once its turn has come

    @property
    def account(self) -> str:
        """The widest account that it is charged to."""
        return accounts(self.visitor)[-1][0]


class Queue:
    """Gives each painter one run at a time; the others wait.

    Whoever has no run that paints or waits comes before anybody's second, and so on; of equals, whoever had a
    turn longest ago or came first. Who is not ready when a turn is to be had is passed over, and keeps the
    place.

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
        self._begun: dict[str, int] = {}  # of accounts with a turn, which began last, by rising numbers

    def join(self, visitor: str, *, again: bool = False) -> Turn:
        """Queue up until `leave`; in a full queue the newest run of whoever has most waiting goes.

        Args:
            visitor: who asks, or "" where that cannot be told; then there is no limit for each.
            again: it has had its turn and lost its painter, so it comes before all who wait.

        Raises:
            InputError: the queue is full, or this visitor has enough runs in it.
        """
        turn = Turn(visitor, again=again)
        with self._lock:
            if again:
                self._turns.insert(0, turn)
                return turn
            of = Counter(account for other in self._turns for account, _ in accounts(other.visitor))
            if visitor and any(of[account] >= self.each * share for account, share in accounts(visitor)):
                raise InputError(
                    f"You have {self.each} paintings under way here; stop one or let it finish first."
                )
            if self._waiting() >= self.most + self._free():
                waiting = Counter(other.account for other in self._turns if other.painter is None)
                newest = max(
                    (other for other in reversed(self._turns) if other.painter is None and other.account),
                    key=lambda other: waiting[other.account],
                    default=None,
                )
                if newest is None or waiting[turn.account] + 1 >= waiting[newest.account]:
                    raise InputError(
                        f"This host is full: {self.most} people are waiting; try again in about"
                        f" {minutes(self._seconds(self._turns))}."
                    )
                self._turns.remove(newest)
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
        """Return the place of a run that waits, 1 being the next, and the seconds until its turn.

        Of one that had to go for somebody who had less: 0, and the seconds of all that are there.
        """
        with self._lock:
            if turn not in self._turns:
                return 0, self._seconds(self._turns)
            # All that wait, if it began in this moment.
            before = list(takewhile(lambda other: other is not turn, self._in_order()))
            painting = [other for other in self._turns if other.painter is not None]
            return len(before) + 1, self._seconds([*before, *painting])

    def counts(self) -> tuple[int, int]:
        """Return how many runs paint and how many wait."""
        with self._lock:
            return len(self._turns) - self._waiting(), self._waiting()

    def offer(self, painters: Collection[str]) -> None:
        """Have other painters from now on; a run whose painter is gone keeps its turn until it leaves."""
        with self._lock:
            self._painters = list(painters)
            self._begin_next()

    def _in_order(self) -> list[Turn]:
        """Return those that wait, whoever comes next first."""
        of = Counter(turn.account for turn in self._turns if turn.painter is not None)
        ranked: list[tuple[tuple[int, int], Turn]] = []
        for turn in self._turns:
            if turn.painter is None:
                rank = (of[turn.account], self._begun.get(turn.account, 0)) if turn.visitor else (0, 0)
                ranked.append(((-1, 0) if turn.again else rank, turn))
                of[turn.account] += 1
        return [turn for _, turn in sorted(ranked, key=lambda pair: pair[0])]

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
        while free and (turn := next((turn for turn in self._in_order() if turn.ready), None)):
            turn.painter = free.pop(0)
            self._begun = {other.account: self._begun.get(other.account, 0) for other in self._turns}
            self._begun[turn.account] = 1 + max(self._begun.values())


def minutes(seconds: float) -> str:
    """Return seconds as whole minutes, in words."""
    count = max(1, math.ceil(seconds / 60))
    return "a minute" if count == 1 else f"{count} minutes"
