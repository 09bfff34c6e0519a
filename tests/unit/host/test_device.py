"""Which device computes."""

from __future__ import annotations

import pytest
import torch

from nst import InputError
from nst.host.device import pick_device


@pytest.mark.parametrize("name", ["cuda:17", "xpu", "gpu", "cpu:x", "7"])
def test_a_device_that_is_not_here_is_said(name, monkeypatch):
    monkeypatch.setenv("NST_DEVICE", name)
    for asked in ((name,), ()):
        with pytest.raises(InputError, match=f"There is no device '{name}' here; there are auto, cpu"):
            pick_device(*asked)


def test_one_that_is_here_is_taken(monkeypatch):
    assert pick_device("cpu") == pick_device(" CPU ") == torch.device("cpu")
    assert pick_device() == pick_device("auto")
    monkeypatch.setenv("NST_DEVICE", "cpu")
    assert pick_device() == torch.device("cpu")
