"""Cutting a picture into strips of rows that a network can look at one by one."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Strip:
    """Rows of a picture: its own, and those that a network has to see to know its own."""

    first: int
    last: int  # exclusive
    top: int
    bottom: int  # exclusive

    def own(self, stride: int) -> slice:
        """Return where its own rows are in what a layer with this `stride` saw of it."""
        begin = (self.first - self.top) // stride
        return slice(begin, begin + self.last // stride - self.first // stride)

    def whole(self, stride: int) -> slice:
        """Return where its own rows are in what such a layer sees of the whole picture."""
        return slice(self.first // stride, self.last // stride)


def cut(height: int, count: int, reach: int, stride: int) -> list[Strip]:
    """Return about `count` strips, as many as there is room for.

    Args:
        height: of the picture, in rows.
        count: how many are wanted.
        reach: how many rows beyond its own the deepest layer sees.
        stride: how many rows its positions are apart. Strips begin at multiples of it, where every pooling
            begins anew, so that a strip is pooled as the whole picture is.
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
