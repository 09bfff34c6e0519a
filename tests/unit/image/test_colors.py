import numpy as np
import pytest
import torch
from makers import finished, noise

from nst import Settings, stylize
from nst.image.colors import is_grey, match_palette

PHOTO = noise(40, 50)
OTHER = noise(30, 60, seed=1) ** 2
GREY = OTHER.mean(1, keepdim=True).expand(-1, 3, -1, -1)
TWO_COLOURS = torch.stack([OTHER[:, 0], OTHER[:, 1], (OTHER[:, 0] + OTHER[:, 1]) / 2], 1)
PLAIN = torch.full((1, 3, 9, 9), 0.25)


def statistics(image: torch.Tensor) -> torch.Tensor:
    """Return mean and covariance of the colours, one under the other."""
    flat = image[0].flatten(1).double()
    return torch.cat([flat.mean(1)[None], torch.cov(flat, correction=0)])


@pytest.mark.parametrize("goal", [OTHER, GREY, TWO_COLOURS, PLAIN], ids=["full", "grey", "plane", "plain"])
def test_a_palette_is_matched_also_where_the_goal_is_singular(goal):
    assert torch.allclose(statistics(match_palette(PHOTO, goal)), statistics(goal), atol=1e-6)
    # A picture without variance gets the mean.
    for plain in (PLAIN, GREY):
        assert torch.allclose(statistics(match_palette(plain, goal))[0], statistics(goal)[0], atol=1e-6)


@pytest.mark.parametrize(
    ("colors", "initial"),
    [("style", "noise"), ("luminance", "content"), ("match-before", "noise"), ("match-after", "content")],
)
def test_grey_in_grey_stays_grey(colors, initial, encoder):
    settings = Settings(size=64, iterations=10, colors=colors, initial=initial)
    for frame in stylize(GREY, GREY, settings, encoder=encoder):
        assert frame.image.shape[-1] == 3
        assert int(np.ptp(frame.image, -1).max()) <= 1


def test_a_style_in_colour_colours_a_photo_that_rounding_leaves_grey(encoder):
    assert is_grey((GREY + torch.tensor([0.0, 1.0, -1.0]).view(1, 3, 1, 1) / 255).clamp(0, 1))
    frame = finished(GREY, OTHER, Settings(size=64, iterations=10), encoder=encoder)
    assert int(np.ptp(frame.image, -1).max()) > 20
