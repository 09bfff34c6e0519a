from __future__ import annotations

import numpy as np
import pytest
import torch
from makers import finished, noise

from nst import Settings, stylize
from nst.image.colors import is_grey, luminance, match_palette, with_luminance

PHOTO = noise(40, 50)
OTHER = noise(30, 60, seed=1) ** 2
GREY = OTHER.mean(1, keepdim=True).expand(-1, 3, -1, -1)
TWO_COLOURS = torch.stack([OTHER[:, 0], OTHER[:, 1], (OTHER[:, 0] + OTHER[:, 1]) / 2], 1)
PLAIN = torch.full((1, 3, 9, 9), 0.25)


def statistics(image: torch.Tensor) -> torch.Tensor:
    """Return mean and covariance of the colours, one under the other."""
    flat = image[0].flatten(1).double()
    return torch.cat([flat.mean(1)[None], torch.cov(flat, correction=0)])


def test_another_luminance_leaves_the_chroma_and_the_range():
    light = torch.rand(1, 1, 40, 50) * 2 - 0.5
    found = with_luminance(PHOTO, light)
    assert torch.allclose(found - luminance(found), PHOTO - luminance(PHOTO), atol=1e-6)
    assert found.min() > -1e-6
    assert found.max() < 1 + 1e-6
    dull, inside = PHOTO * 0.3 + 0.35, light.clamp(0.4, 0.6)
    assert torch.allclose(luminance(with_luminance(dull, inside)), inside)


@pytest.mark.parametrize("goal", [OTHER, GREY, TWO_COLOURS, PLAIN], ids=["full", "grey", "plane", "plain"])
def test_a_palette_is_matched_also_where_the_goal_is_singular(goal):
    assert torch.allclose(statistics(match_palette(PHOTO, goal)), statistics(goal), atol=1e-6)


def test_a_picture_without_variance_gets_the_mean_and_one_with_its_own_palette_stays():
    found = match_palette(PLAIN, OTHER)
    assert torch.allclose(found, OTHER.mean((2, 3), keepdim=True).expand_as(found), atol=1e-6)
    assert torch.allclose(statistics(match_palette(GREY, OTHER))[0], statistics(OTHER)[0], atol=1e-6)
    assert torch.allclose(match_palette(PHOTO, PHOTO), PHOTO, atol=1e-6)


def test_only_the_weighted_part_is_matched():
    weights = torch.zeros(1, 1, 40, 50)
    weights[..., :20] = 1
    other = PHOTO.flip(1) * 0.5
    found = match_palette(PHOTO, other, weights)[..., :20]
    assert torch.allclose(statistics(found)[1:], statistics(other[..., :20])[1:], atol=1e-6)


@pytest.mark.parametrize("colors", ["style", "luminance", "match-before", "match-after"])
@pytest.mark.parametrize("initial", ["content", "noise"])
def test_grey_in_grey_stays_grey(colors, initial, encoder):
    photo = PHOTO.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    settings = Settings(size=64, iterations=10, colors=colors, initial=initial)
    for frame in stylize(photo, GREY, settings, encoder=encoder):
        assert frame.image.shape[-1] == 3
        assert int(np.ptp(frame.image, -1).max()) <= 1


def test_a_style_in_colour_colours_a_grey_photo(encoder):
    frame = finished(GREY, OTHER, Settings(size=64, iterations=10), encoder=encoder)
    assert int(np.ptp(frame.image, -1).max()) > 20


def test_grey_is_what_rounding_leaves_grey():
    assert is_grey(GREY)
    assert is_grey(torch.rand(1, 1, 4, 4))
    assert is_grey((GREY + torch.tensor([0.0, 1.0, -1.0]).view(1, 3, 1, 1) / 255).clamp(0, 1))
    assert not is_grey(PHOTO)
