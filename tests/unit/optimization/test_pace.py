"""When the next frame is due."""

from __future__ import annotations

import pytest

from nst.optimization.pace import LONGEST, THRIFT, Pace


@pytest.mark.parametrize(
    ("interval", "costs", "wait"),
    [
        (0.25, [0.001], 0.25),
        (0.25, [0.5], 0.25),  # of the first, which costs more, nothing follows
        (0.25, [0.5, 0.01], THRIFT * 0.01),
        (0.25, [0.0, 27.0], LONGEST),  # who was held up once is not left without frames
        (0.0, [5.0, 5.0], 0.0),
    ],
)
def test_a_frame_is_due_by_time_and_later_the_longer_the_last_was_looked_at(interval, costs, wait):
    now = 100.0
    pace = Pace(interval, lambda: now)
    assert pace.due()
    for cost in costs:
        pace.hand_out()
        now += cost
        pace.taken_back()
    assert pace.due_at - now == pytest.approx(wait)
    assert pace.due() == (wait == 0)
    now = pace.due_at
    assert pace.due()
