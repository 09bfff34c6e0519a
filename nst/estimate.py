"""How long the rest of a painting will take."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from nst.pyramid import Scale


class Estimate:
    """Predicts the remaining seconds from what iterations have cost, per size.

    Costs grow nearly in proportion to the pixels above a floor per iteration. Costs seen for a size, in
    this run or an earlier one of the same encoder and device, are taken as they are; the others follow
    from the nearest size seen; those of a finishing encoder that was never seen, from the other's.

    Args:
        encoder: name of the encoder that paints.
        finisher: name of the one that finishes; the same if there is only one.
        device: where they run.
    """

    _seen: ClassVar[dict[tuple[str, str], dict[int, float]]] = {}
    _FLOOR = 20_000  # pixels' worth of overhead in every iteration
    _DEARER = 4.0  # a finishing encoder's iteration against the other's, until one was seen

    def __init__(self, encoder: str, finisher: str, device: str) -> None:
        self.painting = self._seen.setdefault((encoder, device), {})
        self.finishing = self._seen.setdefault((finisher, device), {})

    def saw(self, scale: Scale, seconds: float) -> None:
        """Note what an iteration at `scale` cost."""
        costs = self.finishing if scale.finishing else self.painting
        before = costs.get(scale.pixels)
        costs[scale.pixels] = seconds if before is None else 0.8 * before + 0.2 * seconds
        if len(costs) > 64:
            costs.pop(next(iter(costs)))

    def cost(self, scale: Scale) -> float:
        """Return the expected seconds for one iteration at `scale`, 0 before anything was seen."""
        factor, costs = 1.0, self.painting
        if scale.finishing:
            factor, costs = (1.0, self.finishing) if self.finishing else (self._DEARER, self.painting)
        if not costs:
            return 0.0
        nearest = min(costs, key=lambda seen: abs(seen - scale.pixels))
        return factor * costs[nearest] * (scale.pixels + self._FLOOR) / (nearest + self._FLOOR)

    def remaining(self, left: int, scale: Scale, later: Iterable[Scale]) -> float:
        """Return the seconds for `left` iterations at `scale` and all of `later`."""
        return left * self.cost(scale) + sum(s.iterations * self.cost(s) for s in later)
