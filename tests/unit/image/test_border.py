"""Taking off the plain border of a style picture."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from nst import Settings, stylize
from nst.image.border import without_border

GENERATOR = torch.Generator().manual_seed(0)
PICTURE = torch.rand(1, 3, 80, 120, generator=GENERATOR)


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
    noise = 0.012 * torch.randn(1, 3, 104, 144, generator=GENERATOR)
    scan = (framed(12, 12, 12, 12, 0.95) + noise).clamp(0, 1)
    scan[..., 5, 40] = 0
    assert trim(scan).shape == (1, 3, 78, 118)


def test_what_is_no_border_stays():
    assert torch.equal(trim(PICTURE), PICTURE)
    plain = torch.full((1, 3, 50, 60), 0.3)
    assert torch.equal(trim(plain), plain)
    sky = torch.cat([torch.ones(1, 3, 100, 120), PICTURE], -2)  # more than half of the picture
    assert torch.equal(trim(sky), sky)
    speck = torch.rand(1, 3, 1, 1)
    assert torch.equal(trim(speck), speck)


def test_a_border_counts_for_nothing_unless_it_is_wanted(photo, encoder):
    style = framed(12, 12, 12, 12)
    settings = Settings(size=64, iterations=10)

    def painted(look: torch.Tensor, **more: bool) -> bytes:
        *_, frame = stylize(photo, look, Settings(**{**settings.public(), **more}), encoder=encoder)
        return frame.image.tobytes()

    assert painted(style) == painted(PICTURE[..., 1:-1, 1:-1])
    assert painted(style, trim_border=False) != painted(style)
