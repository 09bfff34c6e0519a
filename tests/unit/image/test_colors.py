from __future__ import annotations

import numpy as np
import pytest
import torch
from makers import finished, noise

from nst import Settings, stylize
from nst.image.colors import is_grey, luminance, match_palette, with_luminance

PHOTO = noise(40, 50)
OTHER = noise(30, 60, seed=1) ** 2


def statistics(image: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    flat = image[0].flatten(1).double()
    return flat.mean(1), torch.cov(flat, correction=0)


def test_luminance_is_bt_601():
    grey = torch.full((1, 3, 2, 2), 0.3)
    assert torch.allclose(luminance(grey), torch.full((1, 1, 2, 2), 0.3))
    green = torch.zeros(1, 3, 2, 2)
    green[:, 1] = 1
    assert float(luminance(green)[0, 0, 0, 0]) == pytest.approx(0.587)


def test_another_luminance_leaves_the_chroma_and_the_range():
    light = torch.rand(1, 1, 40, 50) * 2 - 0.5
    found = with_luminance(PHOTO, light)
    assert torch.allclose(found - luminance(found), PHOTO - luminance(PHOTO), atol=1e-6)
    assert found.min() > -1e-6
    assert found.max() < 1 + 1e-6
    inside = luminance(PHOTO) * 0.9
    dull = PHOTO * 0.3 + 0.35
    assert torch.allclose(luminance(with_luminance(dull, inside.clamp(0.4, 0.6))), inside.clamp(0.4, 0.6))


GREY = OTHER.mean(1, keepdim=True).expand(-1, 3, -1, -1)
TWO_COLOURS = torch.stack([OTHER[:, 0], OTHER[:, 1], (OTHER[:, 0] + OTHER[:, 1]) / 2], 1)
PLAIN = torch.full((1, 3, 9, 9), 0.25)


@pytest.mark.parametrize("goal", [OTHER, GREY, TWO_COLOURS, PLAIN], ids=["full", "grey", "plane", "plain"])
def test_a_palette_is_matched_also_where_the_goal_is_singular(goal):
    mean, covariance = statistics(match_palette(PHOTO, goal))
    goal_mean, goal_covariance = statistics(goal)
    assert torch.allclose(mean, goal_mean, atol=1e-6)
    assert torch.allclose(covariance, goal_covariance, atol=1e-6)


def test_a_picture_without_variance_gets_the_mean_and_stays_plain():
    found = match_palette(PLAIN, OTHER)
    assert torch.allclose(found, OTHER.mean((2, 3), keepdim=True).expand_as(found), atol=1e-6)
    grey = match_palette(GREY, OTHER)
    assert torch.isfinite(grey).all()
    assert torch.allclose(statistics(grey)[0], statistics(OTHER)[0], atol=1e-6)


def test_its_own_palette_changes_nothing():
    assert torch.allclose(match_palette(PHOTO, PHOTO), PHOTO, atol=1e-6)


def test_only_the_weighted_part_is_matched():
    weights = torch.zeros(1, 1, 40, 50)
    weights[..., :20] = 1
    other = PHOTO.flip(1) * 0.5
    found = match_palette(PHOTO, other, weights)[..., :20]
    assert torch.allclose(statistics(found)[1], statistics(other[..., :20])[1], atol=1e-6)


@pytest.mark.parametrize("colors", ["style", "luminance", "match-before", "match-after"])
@pytest.mark.parametrize("initial", ["content", "noise"])
def test_grey_in_grey_stays_grey(colors, initial, encoder):
    photo, style = (picture.mean(1, keepdim=True).expand(-1, 3, -1, -1) for picture in (PHOTO, OTHER))
    settings = Settings(size=64, iterations=10, colors=colors, initial=initial)
    for frame in stylize(photo, style, settings, encoder=encoder):
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
