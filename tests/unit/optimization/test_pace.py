"""When the next frame is due."""

from __future__ import annotations

from nst.optimization.pace import LONGEST, THRIFT, Pace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def taken(pace: Pace, clock: Clock, cost: float) -> float:
    """Hand out a frame whose taking costs so many seconds; return those until the next is due."""
    pace.hand_out()
    clock.now += cost
    pace.taken_back()
    return pace.due_at - clock.now


def test_the_first_is_due_at_once_and_the_next_by_time():
    clock = Clock()
    pace = Pace(0.25, clock)
    assert pace.due()
    assert taken(pace, clock, 0.001) == 0.25
    assert not pace.due()
    clock.now += 0.25
    assert pace.due()


def test_a_slow_consumer_gets_fewer():
    clock = Clock()
    pace = Pace(0.25, clock)
    assert abs(taken(pace, clock, 0.5) - 0.25) < 1e-9  # of the first, which costs more, nothing follows
    assert abs(taken(pace, clock, 0.01) - THRIFT * 0.01) < 1e-9


def test_who_was_held_up_once_is_not_left_without_frames():
    clock = Clock()
    # Another visitor's look inside, of 27 seconds, once cost the next frame 27 minutes.
    pace = Pace(0.25, clock)
    taken(pace, clock, 0.0)
    assert abs(taken(pace, clock, 27.0) - LONGEST) < 1e-9


def test_without_an_interval_all_are_due():
    clock = Clock()
    pace = Pace(0.0, clock)
    assert taken(pace, clock, 5.0) == 0
    assert pace.due()
