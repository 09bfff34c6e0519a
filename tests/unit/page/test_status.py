"""What the page says about a run."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    ("encoder", "advice"),
    [
        ("Narrow network, then VGG-19", "The narrow network (under Expert)"),
        ("Narrow network", "A smaller size or fewer iterations finish sooner"),
    ],
)
def test_a_slow_host_gets_a_friendly_word(encoder, advice):
    quick = replace(FRAME, encoder=encoder)
    slow = replace(quick, remaining=200.0, notice="less memory")
    for words in (advice, "Press Stop to keep what is painted so far", "less memory"):
        assert words in status.running(slow)
    # A first guess is no reason yet.
    for frame in (quick, replace(slow, seconds=0.5)):
        assert "Press Stop to keep" not in status.running(frame)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.0, ""),
        (0.7, " · about 1 second"),
        (21.0, " · about 20 seconds"),
        (62.0, " · about 1 minute"),
        (7200.0, " · about 2 hours"),
    ],
)
def test_an_estimate_is_said_as_people_say_it(seconds, told):
    assert status.forecast(Forecast(64, 48, seconds)) == f"<p>64 × 48 px{told}</p>"  # noqa: RUF001


def test_a_larger_size_is_told_with_its_size_in_print():
    assert status.larger(Forecast(768, 512, 38.0)) == "768 px · 7 cm in print · up to 40 s"
    assert status.larger(Forecast(600, 2048, 0.0)) == "2048 px · 17 cm in print"


def test_numbers_stand_in_the_title_and_words_in_the_line():
    running = status.running(FRAME)
    assert ">Painting · 10 % · 20 s left<" in running
    assert 'title="step 10 of 100 · 64 × 48 px · 1.0 steps per second · VGG-19 on CPU"' in running  # noqa: RUF001
    assert 'aria-valuenow="10"' in running
    assert ">Your painting is ready · 10 s<" in status.finished(FRAME, stopped=False)
    assert ">Stopped at 10 %<" in status.finished(FRAME, stopped=True)
    assert 'role="alert">No &lt;room&gt;.' in status.line("No <room>.", kind="failed")
