"""What a host allows."""

from __future__ import annotations

import pytest

from nst import InputError, Settings
from nst.ui.limits import Limits


def test_a_host_sets_the_largest_picture(monkeypatch):
    monkeypatch.setenv("NST_MAX_SIZE", "96")
    limits = Limits.of_host()
    limits.apply(Settings(size=96))
    with pytest.raises(InputError, match="This host paints up to 96 px"):
        limits.apply(Settings(size=128))


# Without at least two sizes to choose from there is no slider.
@pytest.mark.parametrize("value", ["64", "5000", "large", "nan"])
def test_nonsense_is_refused_with_a_sentence(monkeypatch, value):
    monkeypatch.setenv("NST_MAX_SIZE", value)
    with pytest.raises(InputError, match="NST_MAX_SIZE is a number from 96 to 4096"):
        Limits.of_host()
