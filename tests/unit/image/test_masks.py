from __future__ import annotations

import pytest
import torch

from nst import InputError
from nst.image.masks import divide, prepare, soften

ALL = torch.ones(1, 1, 30, 40)
LEFT = torch.zeros(1, 1, 30, 40)
LEFT[..., :20] = 1


def test_without_masks_there_is_one_region_everywhere():
    (region,), painted = divide([1.0, 0.5, 0.0], [None, None, None], None)
    assert region.mask is None
    assert painted is None
    assert region.shares == pytest.approx((2 / 3, 1 / 3, 0))


# By the shares of the styles and their masks: the regions' shares and masks, and what is painted at all.
DIVISIONS = {
    "the others paint the rest": (
        ([1.0, 1.0, 1.0], [None, LEFT, None]),
        [((0.5, 0, 0.5), 1 - LEFT), ((0, 1, 0), LEFT)],
        ALL,
    ),
    "the rest stays the photo if every style has one": (([1.0], [LEFT]), [((1,), LEFT)], LEFT),
    "those that overlap share": (
        ([1.0, 1.0], [ALL, LEFT]),
        [((1, 0), 1 - LEFT / 2), ((0, 1), LEFT / 2)],
        ALL,
    ),
    "one of share 0 takes no part": (([1.0, 0.0], [None, LEFT]), [((1, 0), None)], None),
}


@pytest.mark.parametrize("name", DIVISIONS)
def test_a_style_with_a_mask_paints_there(name):
    given, expected, painted = DIVISIONS[name]
    regions, found = divide(*given, None)
    assert [region.shares for region in regions] == [shares for shares, _ in expected]
    for one, other in (
        (found, painted),
        *((region.mask, expected[k][1]) for k, region in enumerate(regions)),
    ):
        assert one is other or torch.equal(one, other)


def test_regions_and_what_is_kept_fill_the_canvas_with_soft_edges_too():
    one, two, keep = (torch.rand(1, 1, 30, 40) for _ in range(3))
    for masks in ([one, two, None], [one, two, two]):
        regions, painted = divide([1.0, 1.0, 1.0], masks, keep)
        assert torch.allclose(sum(region.mask for region in regions), painted, atol=1e-5)
        assert (painted <= 1 - keep + 1e-6).all()


@pytest.mark.parametrize(
    ("shares", "mask", "keep", "sentence"),
    [
        ([1.0], None, ALL, "leave nothing to paint"),
        ([1.0], LEFT, LEFT, "leave nothing to paint"),
        ([0.0], None, None, "Every style has the share 0"),
    ],
)
def test_nothing_left_to_paint_is_said(shares, mask, keep, sentence):
    with pytest.raises(InputError, match=sentence):
        divide(shares, [mask], keep)


def test_an_edge_is_as_soft_as_asked_and_no_softer():
    mask = torch.zeros(1, 1, 100, 200)
    mask[..., :100] = 1
    assert torch.equal(soften(mask, 0), mask)
    soft = soften(mask, 10)[0, 0, 50]
    between = ((soft > 0) & (soft < 1)).sum()
    assert int(between) == pytest.approx(20, abs=3)  # 10 % of 200
    assert (soft[1:] <= soft[:-1] + 1e-6).all()


def test_a_mask_has_the_photos_proportions():
    photo = torch.rand(1, 3, 300, 400)
    assert prepare(torch.ones(1, 3, 30, 40), photo, 2, "The mask").shape == (1, 1, 30, 40)
    assert prepare(torch.ones(1, 3, 1500, 2000), photo, 2, "The mask").shape == (1, 1, 768, 1024)
    with pytest.raises(InputError, match=r"The mask is 40 x 40 and the photo 400 x 300 pixels"):
        prepare(torch.ones(1, 3, 40, 40), photo, 2, "The mask")
