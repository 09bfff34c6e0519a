"""What a host allows."""

import pytest
import torch

from nst import InputError
from nst.page.components import control
from nst.runs.limits import Limits


@pytest.mark.parametrize(
    ("device", "allowed", "size"), [("cpu", "", 512), ("cuda", "", 768), ("cuda", "640", 640)]
)
def test_a_page_begins_with_the_size_that_suits_its_device(device, allowed, size, monkeypatch):
    monkeypatch.setattr("nst.runs.limits.pick_device", lambda: torch.device(device))
    monkeypatch.setenv("NST_MAX_SIZE", allowed)
    limits = Limits.of_host()
    assert control(limits.knob("size")).value == size
    limits.allowed({"size": size})  # may be asked for; of a larger one, see `test_api.py`


# Without at least two sizes to choose from there is no slider.
@pytest.mark.parametrize("value", ["64", "large", "nan"])
def test_nonsense_is_refused_with_a_sentence(monkeypatch, value):
    monkeypatch.setenv("NST_MAX_SIZE", value)
    with pytest.raises(InputError, match="NST_MAX_SIZE is a number from 96 to 4096"):
        Limits.of_host()
