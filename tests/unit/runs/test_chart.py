"""The losses of a run, thinned out for the chart."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest

from nst.runs.run import LossLog


def test_a_table_of_logarithms():
    log = LossLog()
    log.add(SimpleNamespace(iteration=0, losses={}))
    assert log.table().empty
    log.add(SimpleNamespace(iteration=1, losses={"content": 0.1, "style": 10.0, "total variation": 0.0}))
    table = log.table()
    assert table["step"].tolist() == [1, 1]
    assert table["term"].tolist() == ["content", "style"]  # of nothing there is no logarithm
    assert table["log10"].tolist() == pytest.approx([-1, 1])


def test_a_long_run_stays_a_light_chart_that_covers_all_of_it():
    log = LossLog()
    for iteration in range(1, 10_001):
        log.add(SimpleNamespace(iteration=iteration, losses={"content": 1.0}))
    steps = log.table()["step"].tolist()
    assert 100 <= len(steps) <= 200
    assert steps[0] == 1
    assert steps[-1] > 9_800
    gaps = {later - earlier for earlier, later in itertools.pairwise(steps)}
    assert len(gaps) == 1  # evenly
