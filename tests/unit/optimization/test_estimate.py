"""How long the rest takes, by what was seen."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from nst import Settings
from nst.optimization.estimate import Estimate, forecast
from nst.optimization.pyramid import Scale
from nst.vgg.weights import NARROW


@pytest.fixture(autouse=True)
def nothing_seen(monkeypatch):
    monkeypatch.setattr(Estimate, "_seen", {})


def scale(side: int, *, iterations: int = 10, encoder: int = 0) -> Scale:
    return Scale(side, side, iterations, encoder)


def test_nothing_is_told_before_anything_was_seen_nor_far_from_it():
    found = Estimate(["a"], "CPU")
    assert found.cost(scale(100)) == 0
    assert not found.knows(scale(100))
    assert forecast(640, 480, Settings(), "CPU").seconds == 0
    found.saw(scale(100), 1.0)
    assert found.knows(scale(440))
    assert not found.knows(scale(450))


def test_the_same_size_costs_the_same_and_others_by_their_pixels():
    found = Estimate(["a"], "CPU")
    found.saw(scale(200), 2.0)
    assert found.cost(scale(200)) == 2.0
    # Four times the pixels, less what each iteration takes anyway.
    assert found.cost(scale(400)) == pytest.approx(7.0)
    assert found.remaining(5, scale(200), [scale(200, iterations=3)]) == 16.0
    # Another painting of the same encoder knows it too, one of another encoder or device does not.
    assert Estimate(["a"], "CPU").cost(scale(200)) == 2.0
    assert Estimate(["b"], "CPU").cost(scale(200)) == 0
    assert Estimate(["a"], "GPU").cost(scale(200)) == 0


def test_a_first_iteration_that_sets_things_up_is_forgotten():
    found = Estimate(["a"], "CPU")
    found.saw(scale(200), 10.0)
    found.saw(scale(200), 1.0)
    assert found.cost(scale(200)) == 1.0
    found.saw(scale(200), 2.0)
    assert found.cost(scale(200)) == pytest.approx(1.2)


def test_another_encoder_is_taken_for_dearer_until_it_was_seen():
    found = Estimate(["a", "b"], "CPU")
    found.saw(scale(200), 1.0)
    assert found.cost(scale(200, encoder=1)) == 4.0
    found.saw(scale(200, encoder=1), 3.0)
    assert found.cost(scale(200, encoder=1)) == 3.0


def test_forecasts_are_made_while_a_painting_writes():
    over, before = threading.Event(), sys.getswitchinterval()

    def read() -> None:
        while not over.is_set():
            forecast(640, 480, Settings(encoder="narrow"), "CPU")

    with ThreadPoolExecutor(2) as threads:
        sys.setswitchinterval(1e-6)
        readers = [threads.submit(read) for _ in range(2)]
        try:
            writing = Estimate([NARROW], "CPU")
            for side in [*range(64, 1064)] * 20:
                writing.saw(scale(side), 1.0)
        finally:
            over.set()
            sys.setswitchinterval(before)
        assert [reader.result() for reader in readers] == [None, None]
    assert len(writing.costs(0)) <= 64
