"""A frame: what a painting in progress reports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nst.settings import Settings


@dataclass(frozen=True)
class Frame:
    """The canvas at one moment, with the losses of exactly this picture.

    While it is painted the image has the size of the current scale; the final one is always full size,
    enlarged if painting ended before that size was reached.
    """

    image: np.ndarray  # (H, W, 3) uint8, (H, W, 4) with an alpha channel if that was to be kept
    iteration: int  # evaluations so far
    total: int  # evaluations in all, if nothing stops it
    target: tuple[int, int]  # (width, height) of the finished picture
    losses: dict[str, float]  # content, style, total variation, each relative; weighted total
    seconds: float  # since the start
    optimising: float  # of these, in objective and optimiser
    rate: float  # iterations per second at this size
    remaining: float  # estimated seconds until the finished picture
    encoder: str  # the encoder's name, or two joined by ", then "
    device: str  # "CPU" or "GPU"
    settings: Settings  # as they are by now
    final: bool = False
    notice: str = ""  # one sentence where the picture is not what was asked for, else empty

    @property
    def width(self) -> int:
        """Width of `image` in pixels."""
        return self.image.shape[1]

    @property
    def height(self) -> int:
        """Height of `image` in pixels."""
        return self.image.shape[0]
