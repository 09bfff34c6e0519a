"""What the page says about a run."""

from dataclasses import replace

import numpy as np
import pytest

from nst import Settings
from nst.optimization.estimate import Forecast
from nst.optimization.frames import Frame
from nst.page import status

FRAME = Frame(
    image=np.zeros((48, 64, 3), np.uint8),
    iteration=10,
    total=100,
    target=(64, 48),
    losses={},
    seconds=10.0,
    optimising=9.0,
    rate=1.0,
    remaining=20.0,
    encoder="VGG-19",
    device="CPU",
    settings=Settings(),
)


def test_a_slow_host_gets_a_friendly_word():
    slow = replace(FRAME, remaining=200.0, notice="less memory")
    for words in ("The narrow network (under Expert)", "Press Stop to keep what is painted", "less memory"):
        assert words in status.running(slow)
    narrow = replace(slow, encoder="Narrow network")
    assert "A smaller size or fewer iterations finish sooner" in status.running(narrow)
    for frame in (FRAME, replace(slow, seconds=0.5)):  # a first guess is no reason yet
        assert "Press Stop to keep" not in status.running(frame)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.0, ""), (0.7, " · about 1 second"), (62.0, " · about 1 minute"), (7200.0, " · about 2 hours")],
)
def test_an_estimate_is_said_as_people_say_it(seconds, told):
    assert status.forecast(Forecast(64, 48, seconds)) == f"<p>64 × 48 px{told}</p>"  # noqa: RUF001


def test_who_waits_is_told_place_and_time():
    assert "you're next · about 25 s to wait" in status.waiting(1, 26)
    assert "2 ahead of you · about 2 min to wait" in status.waiting(3, 115)
    assert "not known" in status.waiting(1, 0)


def test_what_is_left_stands_in_the_line_and_a_fault_is_an_alert():  # the rest is in tests/browser
    assert ">Painting · 10 % · 20 s left<" in status.running(FRAME)
    assert 'role="alert">No &lt;room&gt;.' in status.line("No <room>.", kind="failed")
