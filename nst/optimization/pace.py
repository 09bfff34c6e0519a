"""When the next frame is due."""

from __future__ import annotations

from collections.abc import Callable

# A consumer may take up to 1 / (1 + THRIFT) of the time: after two frames that cost it 10 ms each, the next
# comes 600 ms later at the earliest. One alone says little: each scale's first one costs more, and who was
# held up once, by another visitor's work, is not slow.
THRIFT = 60
# No frame waits longer than this for the sake of those before.
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
        self._cost = 0.0  # of the frame before, in seconds

    def due(self) -> bool:
        """Return whether it is time for a frame."""
        return self.clock() >= self.due_at

    def hand_out(self) -> None:
        """Note that a frame is about to be handed out."""
        self.handed_at = self.clock()

    def taken_back(self) -> None:
        """Note that the consumer has asked for the next one."""
        now = self.clock()
        before, self._cost = self._cost, now - self.handed_at
        cost = min(before, self._cost)
        wait = max(self.interval, min(THRIFT * cost, LONGEST)) if self.interval else 0.0
        self.due_at = now + wait
