"""When the next frame is due."""

from __future__ import annotations

from collections.abc import Callable

# A consumer may take up to 1 / (1 + THRIFT) of the time: after a frame that cost it 10 ms, the next
# comes 600 ms later at the earliest.
THRIFT = 60
# But no frame waits longer than this because of the one before: a consumer that was delayed once is not a
# slow one.
LONGEST = 2.0


class Pace:
    """Says when a frame is due: the first at once, then by time, fewer for a slow consumer.

    With an interval of 0 every frame is due.
    """

    def __init__(self, interval: float, clock: Callable[[], float]) -> None:
        self.interval = interval
        self.clock = clock
        self.due_at = clock()
        self.handed_at = 0.0
        self._first = True

    def due(self) -> bool:
        """Return whether it is time for a frame."""
        return self.clock() >= self.due_at

    def hand_out(self) -> None:
        """Note that a frame is about to be handed out."""
        self.handed_at = self.clock()

    def taken_back(self) -> None:
        """Note that the consumer has asked for the next one."""
        now = self.clock()
        # The first frame costs more than later ones, as the consumer sets things up.
        cost, self._first = 0.0 if self._first else now - self.handed_at, False
        wait = max(self.interval, min(THRIFT * cost, LONGEST)) if self.interval else 0.0
        self.due_at = now + wait
