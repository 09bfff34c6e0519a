"""How long the rest of a painting will take."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from nst.pyramid import Scale


class Estimate:
    """Predicts the remaining seconds from what iterations have cost, per size.

    Costs grow nearly in proportion to the pixels above a floor per iteration. Costs seen for a size, in
    this run or an earlier one of the same encoder and device, are taken as they are; the others follow
    from the nearest size seen.
    """

    _seen: ClassVar[dict[tuple[str, str], dict[int, float]]] = {}
    _FLOOR = 20_000  # pixels' worth of overhead in every iteration

    def __init__(self, encoder: str, device: str) -> None:
        self.costs = self._seen.setdefault((encoder, device), {})

    def saw(self, pixels: int, seconds: float) -> None:
        """Note what an iteration at `pixels` cost."""
        before = self.costs.get(pixels)
        self.costs[pixels] = seconds if before is None else 0.8 * before + 0.2 * seconds
        if len(self.costs) > 64:
            self.costs.pop(next(iter(self.costs)))

    def cost(self, pixels: int) -> float:
        """Return the expected seconds for one iteration at `pixels`, 0 before anything was seen."""
        if pixels in self.costs or not self.costs:
            return self.costs.get(pixels, 0.0)
        nearest = min(self.costs, key=lambda seen: abs(seen - pixels))
        return self.costs[nearest] * (pixels + self._FLOOR) / (nearest + self._FLOOR)

    def remaining(self, left: int, scale: Scale, later: Iterable[Scale]) -> float:
        """Return the seconds for `left` iterations at `scale` and all of `later`."""
        return left * self.cost(scale.pixels) + sum(s.iterations * self.cost(s.pixels) for s in later)
