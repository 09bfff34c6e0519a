"""The simulation of the queue, against what theory says."""

from __future__ import annotations

from nst.lab.capacity import main, simulate


def test_one_painter_waits_as_theory_says_and_several_less():
    # Pollaczek and Khinchine: the mean wait is rho s (1 + c^2) / (2 (1 - rho)); the median lies below.
    visitors, seconds = 120, 15.0
    rho = visitors * seconds / 3600
    mean = rho * seconds * (1 + 0.25**2) / (2 * (1 - rho))
    waits = [simulate(visitors, 1, seconds, seed=seed) for seed in range(8)]
    median, most = (sum(wait[place] for wait in waits) / len(waits) for place in (0, 1))
    assert 0 <= median < mean
    assert mean < most < 6 * mean
    too_few, enough = (simulate(1000, painters, 17.0).most for painters in (4, 10))  # five are needed
    assert too_few > 600
    assert enough < 1


def test_the_table_is_printed(capsys):
    assert main(["--seconds", "2"]) == 0
    assert capsys.readouterr().out.count("\n| 10,000 |") == 3
