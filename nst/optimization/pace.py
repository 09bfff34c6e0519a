"""When the next frame is due."""

from __future__ import annotations

from collections.abc import Callable

# A consumer may take up to 1 / (1 + THRIFT) of the time: after a frame that cost it 10 ms, the next
# comes 600 ms later at the earliest.
THRIFT = 60
# But no frame waits longer than this for the sake of the one before: a consumer that was held up once, by
# another visitor's work, is not a slow one.
LONGEST = 2.0


class Pace:
    """Tells when to hand out a frame: the first at once, then by time, fewer to a slow consumer.

    An interval of 0 hands out all, whatever that costs.
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
        # The first costs more than those after it: the consumer gets ready.
        cost, self._first = 0.0 if self._first else now - self.handed_at, False
        wait = max(self.interval, min(THRIFT * cost, LONGEST)) if self.interval else 0.0
        self.due_at = now + wait
