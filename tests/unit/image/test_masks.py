from __future__ import annotations

import pytest
import torch

from nst import InputError
from nst.image.masks import divide, prepare, soften


def half(width: int = 40, height: int = 30, left: bool = True) -> torch.Tensor:
    mask = torch.zeros(1, 1, height, width)
    mask[..., : width // 2] = 1
    return mask if left else 1 - mask


def test_without_masks_there_is_one_region_everywhere():
    (region,), painted = divide([1.0, 0.5, 0.0], [None, None, None], None)
    assert region.mask is None
    assert painted is None
    assert region.shares == pytest.approx((2 / 3, 1 / 3, 0))


def test_a_style_with_a_mask_paints_there_and_the_others_the_rest():
    (rest, left), painted = divide([1.0, 1.0, 1.0], [None, half(), None], None)
    assert rest.shares == (0.5, 0.0, 0.5)
    assert left.shares == (0, 1, 0)
    assert torch.equal(rest.mask, half(left=False))
    assert torch.equal(left.mask, half())
    assert torch.equal(painted, torch.ones_like(painted))


def test_what_no_mask_covers_stays_the_photo_if_every_style_has_one():
    (left,), painted = divide([1.0], [half()], None)
    assert torch.equal(painted, half())
    assert torch.equal(left.mask, half())


def test_overlapping_masks_share():
    everywhere = torch.ones(1, 1, 30, 40)
    regions, painted = divide([1.0, 1.0], [everywhere, half()], None)
    assert float(regions[0].mask[..., 0, 0]) == 0.5
    assert float(regions[1].mask[..., 0, 0]) == 0.5
    assert float(regions[0].mask[..., 0, -1]) == 1
    assert torch.equal(painted, everywhere)


def test_regions_and_what_is_kept_fill_the_canvas_with_soft_edges_too():
    generator = torch.Generator().manual_seed(1)
    one, two, keep = (torch.rand(1, 1, 30, 40, generator=generator) for _ in range(3))
    for masks in ([one, two, None], [one, two, two]):
        regions, painted = divide([1.0, 1.0, 1.0], masks, keep)
        total = sum(region.mask for region in regions)
        assert torch.allclose(total, painted, atol=1e-5)
        assert (painted <= 1 - keep + 1e-6).all()


def test_a_style_of_share_0_takes_no_part_even_with_a_mask():
    (region,), painted = divide([1.0, 0.0], [None, half()], None)
    assert region.shares == (1, 0)
    assert painted is None


def test_nothing_left_to_paint_is_said():
    white = torch.ones(1, 1, 30, 40)
    for region, keep in ((None, white), (half(), half())):
        with pytest.raises(InputError, match="leave nothing to paint"):
            divide([1.0], [region], keep)
    with pytest.raises(InputError, match="Every style has the share 0"):
        divide([0.0, 0.0], [None, None], None)


def test_an_edge_is_as_soft_as_asked_and_no_softer():
    mask = half(200, 100)
    assert torch.equal(soften(mask, 0), mask)
    soft = soften(mask, 10)[0, 0, 50]
    between = ((soft > 0) & (soft < 1)).nonzero().flatten()
    assert len(between) == pytest.approx(20, abs=3)  # 10 % of 200
    assert (soft[1:] <= soft[:-1] + 1e-6).all()


def test_a_mask_has_the_photos_proportions():
    photo = torch.rand(1, 3, 300, 400)
    assert prepare(torch.ones(1, 3, 30, 40), photo, 2, "The mask").shape == (1, 1, 30, 40)
    assert prepare(torch.ones(1, 3, 3000, 4000), photo, 2, "The mask").shape == (1, 1, 768, 1024)
    with pytest.raises(InputError, match=r"The mask is 40 x 40 and the photo 400 x 300 pixels"):
        prepare(torch.ones(1, 3, 40, 40), photo, 2, "The mask")
