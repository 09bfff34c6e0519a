from __future__ import annotations

import pytest
import torch

from nst.image.masks import divide, soften

ALL = torch.ones(1, 1, 30, 40)
LEFT = torch.zeros(1, 1, 30, 40)
LEFT[..., :20] = 1


def same(one: torch.Tensor | None, other: torch.Tensor | None) -> bool:
    return one is other or torch.equal(one, other)


@pytest.mark.parametrize(
    ("shares", "masks", "expected", "painted"),
    [
        ([1.0, 0.5, 0.0], [None, None, None], [((2 / 3, 1 / 3, 0), None)], None),
        # A style without a mask paints the rest; if each has one, that stays the photo.
        ([1.0, 1.0, 1.0], [None, LEFT, None], [((0.5, 0, 0.5), 1 - LEFT), ((0, 1, 0), LEFT)], ALL),
        ([1.0], [LEFT], [((1,), LEFT)], LEFT),
        # Those that overlap share, and one of share 0 takes no part.
        ([1.0, 1.0], [ALL, LEFT], [((1, 0), 1 - LEFT / 2), ((0, 1), LEFT / 2)], ALL),
        ([1.0, 0.0], [None, LEFT], [((1, 0), None)], None),
    ],
)
def test_each_style_paints_where_its_mask_says(shares, masks, expected, painted):
    regions, found = divide(shares, masks, None)
    assert same(found, painted)
    for region, (share, mask) in zip(regions, expected, strict=True):
        assert region.shares == pytest.approx(share)
        assert same(region.mask, mask)


def test_an_edge_is_as_soft_as_asked():
    mask = torch.zeros(1, 1, 100, 200)
    mask[..., :100] = 1
    assert torch.equal(soften(mask, 0), mask)
    soft = soften(mask, 10)[0, 0, 50]
    between = ((soft > 0) & (soft < 1)).sum()
    assert int(between) == pytest.approx(20, abs=3)  # 10 % of 200
    assert (soft[1:] <= soft[:-1] + 1e-6).all()
