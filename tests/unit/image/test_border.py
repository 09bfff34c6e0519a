"""Taking off the plain border of a style picture."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from makers import finished, noise

from nst import Settings
from nst.image.border import without_border

PICTURE = noise(80, 120)


def trim(picture: torch.Tensor) -> torch.Tensor:
    return picture[(..., *without_border(picture))]


def framed(left: int, right: int, top: int, bottom: int, color: float = 1.0) -> torch.Tensor:
    return F.pad(PICTURE, (left, right, top, bottom), value=color)


@pytest.mark.parametrize("color", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("sides", [(12, 12, 12, 12), (0, 20, 0, 0), (3, 4, 30, 0)])
def test_a_plain_border_goes_on_each_side(sides, color):
    found = trim(framed(*sides, color=color))
    # One line more at each trimmed side, as the last is mixed with the border.
    height = PICTURE.shape[-2] - sum(side > 0 for side in sides[2:])
    width = PICTURE.shape[-1] - sum(side > 0 for side in sides[:2])
    assert found.shape == (1, 3, height, width)


def test_grain_and_specks_of_a_scan_are_border_too():
    grain = 0.012 * torch.randn(1, 3, 104, 144)
    scan = (framed(12, 12, 12, 12, 0.95) + grain).clamp(0, 1)
    scan[..., 5, 40] = 0
    assert trim(scan).shape == (1, 3, 78, 118)


def test_what_is_no_border_stays():
    sky = torch.cat([torch.ones(1, 3, 100, 120), PICTURE], -2)  # more than half of the picture
    for picture in (PICTURE, torch.full((1, 3, 50, 60), 0.3), sky, noise(1, 1)):
        assert torch.equal(trim(picture), picture)


def test_a_border_counts_for_nothing_unless_it_is_wanted(photo, encoder):
    style = framed(12, 12, 12, 12)

    def painted(look: torch.Tensor, **more: bool) -> bytes:
        settings = Settings(size=64, iterations=10, **more)
        return finished(photo, look, settings, encoder=encoder).image.tobytes()

    assert painted(style) == painted(PICTURE[..., 1:-1, 1:-1])
    assert painted(style, trim_border=False) != painted(style)
