"""Taking off the uniform border of a scan or a print."""

from __future__ import annotations

from torch import Tensor

# How far from the border's colour its pixels may be, of 1, and how many of a line may be farther.
_NEAR, _OTHERS = 0.06, 0.02
# What is less, as a share of the side, is no border; what is more is the picture itself.
_LEAST, _MOST = 0.01, 0.4


def trim(picture: Tensor) -> Tensor:
    """Return a picture without the border of one colour around it, such as a white frame.

    Each side is trimmed by itself. A picture that is plain all over stays as it is.

    Args:
        picture: (1, C, H, W) in [0, 1].
    """
    height, width = picture.shape[-2:]
    top, bottom = (_depth(picture, flip=flip) for flip in (False, True))
    left, right = (_depth(picture.mT, flip=flip) for flip in (False, True))
    if top + bottom >= height or left + right >= width:
        return picture
    return picture[..., top : height - bottom, left : width - right]


def _depth(picture: Tensor, *, flip: bool) -> int:
    """Return how many rows at the top, or flipped at the bottom, are border."""
    rows = picture.flip(-2) if flip else picture
    height = rows.shape[-2]
    color = rows[..., 0, :].median(-1).values[..., None, None]
    far = ((rows - color).abs().amax(1) > _NEAR).float().mean(-1)[0]
    differing = (far > _OTHERS).nonzero()
    depth = int(differing[0]) if len(differing) else height
    if not _LEAST * height <= depth <= _MOST * height:
        return 0
    # The last line before the picture is mixed with it.
    return min(depth + 1, height - 1)
