"""How long the rest takes, by what was seen."""

from __future__ import annotations

import pytest

from nst import Settings
from nst.optimization.estimate import Estimate, forecast
from nst.optimization.pyramid import Scale


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


def test_costs_follow_from_what_was_seen_of_this_size_or_the_nearest():
    found = Estimate(["a"], "CPU")
    found.saw(scale(200), 10.0)
    found.saw(scale(200), 2.0)
    assert found.cost(scale(200)) == 2.0  # the first one also sets things up: it is forgotten
    # Four times the pixels, less what each iteration takes anyway.
    assert found.cost(scale(400)) == pytest.approx(7.0)
    assert found.remaining(5, scale(200), [scale(200, iterations=3)]) == 16.0
    # Another painting of the same encoder knows it too, one of another device does not.
    assert Estimate(["a"], "CPU").cost(scale(200)) == 2.0
    assert Estimate(["a"], "GPU").cost(scale(200)) == 0
    found.saw(scale(200), 3.0)
    assert found.cost(scale(200)) == pytest.approx(2.2)


def test_another_encoder_is_taken_for_dearer_until_it_was_seen():
    found = Estimate(["a", "b"], "CPU")
    found.saw(scale(200), 1.0)
    assert found.cost(scale(200, encoder=1)) == 4.0
    found.saw(scale(200, encoder=1), 3.0)
    assert found.cost(scale(200, encoder=1)) == 3.0


def test_what_a_forecast_reads_does_not_change_while_a_painting_writes():
    found = Estimate(["a"], "CPU")
    found.saw(scale(64), 1.0)
    read = found.costs(0)
    for side in range(65, 165):
        found.saw(scale(side), 1.0)
    assert list(read) == [64 * 64]
    assert len(found.costs(0)) == 64
