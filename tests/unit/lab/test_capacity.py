"""The simulation of the queue, against what theory says."""

from __future__ import annotations

import pytest

from nst.lab.capacity import main, simulate, table


def test_one_painter_waits_as_theory_says():
    # Pollaczek and Khinchine: the mean wait is rho s (1 + c^2) / (2 (1 - rho)); the median lies below.
    visitors, seconds = 120, 15.0
    rho = visitors * seconds / 3600
    mean = rho * seconds * (1 + 0.25**2) / (2 * (1 - rho))
    waits = [simulate(visitors, 1, seconds, seed=seed) for seed in range(8)]
    median, most = (sum(wait[place] for wait in waits) / len(waits) for place in (0, 1))
    assert 0 <= median < mean
    assert mean < most < 6 * mean


def test_more_painters_wait_less_and_too_few_without_end():
    waits = [simulate(1000, painters, 17.0).most for painters in (4, 5, 6, 10)]
    assert waits == sorted(waits, reverse=True)
    assert waits[0] > 600  # five are needed
    assert waits[-1] < 1


def test_the_table_is_printed(capsys):
    assert main(["--seconds", "2"]) == 0
    told = capsys.readouterr().out.strip()
    assert told == table(2)
    assert told.count("\n| 10,000 |") == 3
    with pytest.raises(SystemExit):
        main(["--seconds", "0"])
    with pytest.raises(SystemExit):
        main([])
