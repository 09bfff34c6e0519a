"""The losses of a run as the chart takes them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import pandas as pd

from nst.optimization.frames import Frame

_MOST = 200  # rows


@dataclass
class LossLog:
    """The losses of a run so far, thinned out so that a long run stays a light chart."""

    rows: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    every: int = 1
    seen: int = 0

    def add(self, frame: Frame) -> None:
        """Note the losses of a frame."""
        if self.seen % self.every == 0 and frame.losses:
            self.rows.append((frame.iteration, frame.losses))
            if len(self.rows) > _MOST:
                self.rows = self.rows[::2]
                self.every *= 2
        self.seen += 1

    def table(self) -> pd.DataFrame:
        """Return columns step, log10 and term: the chart has no logarithmic axis of its own."""
        return pd.DataFrame(
            [
                (step, math.log10(value), term)
                for step, losses in self.rows
                for term, value in losses.items()
                if value > 0
            ],
            columns=["step", "log10", "term"],
        )
