"""What the page says about a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nst import Settings
from nst.optimization.frames import Frame
from nst.ui import status

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
    ("encoder", "device", "advice"),
    [
        ("VGG-19", "CPU", "the fast encoder"),
        ("Fast encoder, then VGG-19", "CPU", "the fast encoder"),
        ("Fast encoder", "CPU", "a smaller size or fewer iterations"),
        ("VGG-19", "GPU", "a smaller size or fewer iterations"),
    ],
)
def test_a_slow_host_gets_a_friendly_word(encoder, device, advice):
    quick = replace(FRAME, encoder=encoder, device=device)
    assert "takes a while" not in status.running(quick)
    slow = status.running(replace(quick, remaining=200.0))
    assert "takes a while on this host" in slow
    assert advice in slow
    # A first guess is no reason yet.
    assert "takes a while" not in status.running(replace(quick, remaining=200.0, seconds=0.5))
    assert "less memory" in status.running(replace(quick, remaining=200.0, notice="less memory"))
