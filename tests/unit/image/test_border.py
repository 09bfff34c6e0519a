"""Taking off the plain border of a style picture."""

import pytest
import torch
import torch.nn.functional as F
from makers import noise

from nst.image.border import without_border

PICTURE = noise(80, 120)


def trim(picture: torch.Tensor) -> torch.Tensor:
    return picture[(..., *without_border(picture))]


# One line more is taken off each trimmed side, as the last is mixed with the border.
@pytest.mark.parametrize(
    ("sides", "color", "size"),
    [((12, 12, 12, 12), 1.0, (78, 118)), ((0, 20, 0, 0), 0.4, (80, 119)), ((3, 4, 30, 0), 0.0, (79, 118))],
)
def test_a_plain_border_goes_on_each_side_with_the_grain_and_specks_of_a_scan(sides, color, size):
    framed = F.pad(PICTURE, sides, value=color)
    assert trim(framed).shape[-2:] == size
    scan = (framed + 0.012 * torch.randn(framed.shape)).clamp(0, 1)
    scan[..., 5, 40] = 0
    assert trim(scan).shape[-2:] == size


def test_what_is_no_border_stays():
    sky = torch.cat([torch.ones(1, 3, 100, 120), PICTURE], -2)  # more than half of the picture
    for picture in (PICTURE, torch.full((1, 3, 50, 60), 0.3), sky, noise(1, 1)):
        assert torch.equal(trim(picture), picture)
