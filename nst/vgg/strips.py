"""Cutting a picture into strips of rows that a network processes one by one."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Strip:
    """Rows of a picture: its own, and the neighbouring ones that a network needs for these."""

    first: int
    last: int  # exclusive
    top: int
    bottom: int  # exclusive

    def own(self, stride: int) -> slice:
        """Return its own rows in the map that a layer with this `stride` makes of the strip."""
        begin = (self.first - self.top) // stride
        return slice(begin, begin + self.last // stride - self.first // stride)

    def whole(self, stride: int) -> slice:
        """Return its own rows in the map that such a layer makes of the whole picture."""
        return slice(self.first // stride, self.last // stride)


def cut(height: int, count: int, reach: int, stride: int) -> list[Strip]:
    """Return about `count` strips, fewer for a low picture.

    Args:
        height: of the picture, in rows.
        count: how many are wanted.
        reach: how many rows beyond its own the deepest layer sees.
        stride: how many rows its positions are apart. Strips begin at multiples of it, so that they are
            pooled as the whole picture is.
    """
    margin = _rounded_up(reach, stride)
    rows = _rounded_up(height / count, stride)
    starts = [first for first in range(0, height, rows) if first == 0 or height - first >= stride]
    ends = [*starts[1:], height]
    return [
        Strip(first, last, max(0, first - margin), min(height, last + margin))
        for first, last in zip(starts, ends, strict=True)
    ]


def _rounded_up(rows: float, unit: int) -> int:
    return math.ceil(rows / unit) * unit
