"""Where things have moved between two frames, and where that can be relied on."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from conftest import picture

from nst import InputError
from nst.clips.flow import estimate, moved, opencv, reliable, settled
from nst.image.tensors import to_tensor

WIDE = np.asarray(picture(200, 120, seed=3))


def test_a_pan_is_found_and_undone():
    one, other = WIDE[:, 10:160], WIDE[:, 6:156]
    flow = estimate(one, other)
    inner = flow[..., 10:-10, 10:-10]
    assert inner[:, 0].median() == pytest.approx(4, abs=0.1)
    assert inner[:, 1].abs().median() < 0.1
    again = moved(to_tensor(other), flow)
    assert (again - to_tensor(one))[..., 10:-10, 10:-10].abs().mean() < 0.01


def test_what_stands_still_is_not_touched():
    flow = torch.full((1, 2, 40, 60), 0.1)
    image = to_tensor(WIDE[:40, :60])
    assert not settled(flow).any()
    assert torch.allclose(moved(image, settled(flow)), image, atol=1e-6)
    assert settled(10 * flow).equal(10 * flow)


def test_what_was_hidden_or_outside_is_not_relied_on():
    still = torch.zeros(1, 2, 40, 60)
    assert reliable(still, still).all()
    back = still.clone()
    back[:, 0, 10:20, 10:20] = -5  # says it came from the left, and nothing went there
    holds = reliable(back, still)
    assert not holds[..., 11:19, 11:19].any()
    assert holds[..., 25:, :].all()
    pan = torch.zeros_like(still)
    pan[:, 0] = 4
    holds = reliable(pan, -pan)
    assert holds[..., :50].all()
    assert not holds[..., 54:].any()  # would be read from beyond the right edge, or from what was at it


def test_without_opencv_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(InputError, match=r'install it with: pip install "\.\[clips\]"'):
        opencv()
