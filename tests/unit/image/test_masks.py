import pytest
import torch

from nst.image.masks import divide

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
