"""Finding the uniform border of a scan or a print."""

from __future__ import annotations

import math

from torch import Tensor

# How far from the border's colour its pixels may be, of 1, and the share of a line that may be farther.
_NEAR, _OTHERS = 0.06, 0.02
# As shares of the side: less is no border, and more is the picture itself.
_LEAST, _MOST = 0.01, 0.4


def without_border(picture: Tensor) -> tuple[slice, slice]:
    """Return the rows and columns of a picture within the border of one colour around it, such as a frame.

    Each side is trimmed by itself. A picture that is plain all over stays as it is.

    Args:
        picture: (1, C, H, W) in [0, 1].
    """
    height, width = picture.shape[-2:]
    top, bottom = (_depth(picture, flip=flip) for flip in (False, True))
    left, right = (_depth(picture.mT, flip=flip) for flip in (False, True))
    if top + bottom >= height or left + right >= width:
        return slice(None), slice(None)
    return slice(top, height - bottom), slice(left, width - right)


def _depth(picture: Tensor, *, flip: bool) -> int:
    """Return how many rows at the top, or flipped at the bottom, are border."""
    height = picture.shape[-2]
    color = picture[..., -1 if flip else 0, :].median(-1).values[..., None, None]

    def alike(most: int) -> int:
        """Return how many of the outermost rows, of `most` at most, have the border's colour."""
        rows = picture[..., -most:, :].flip(-2) if flip else picture[..., :most, :]
        far = ((rows - color).abs().amax(1) > _NEAR).float().mean(-1)[0]
        differing = (far > _OTHERS).nonzero()
        return int(differing[0]) if len(differing) else most

    # Most pictures have no border, and the outermost rows are enough to see that.
    least, most = math.ceil(_LEAST * height), min(math.floor(_MOST * height) + 1, height)
    if alike(least) < least or (depth := alike(most)) == most:
        return 0
    # The last line before the picture is mixed with it.
    return min(depth + 1, height - 1)
