"""How long the rest of a painting will take."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from nst.optimization.encoders import encoder_choice, encoder_names
from nst.optimization.pyramid import Scale, plan
from nst.settings import Settings


class Estimate:
    """Predicts the remaining seconds from what iterations have cost, per size.

    Costs grow nearly in proportion to the pixels above a floor per iteration. Costs seen for a size, in
    this run or an earlier one of the same encoder and device, are taken as they are; the others follow
    from the nearest size seen; those of an encoder that was never seen, from the other's.

    Args:
        encoders: their names, as `Scale.encoder` counts them.
        device: where they run.
    """

    # Read by forecasts while a painting writes: each write replaces a dictionary by another, so that a reader
    # never sees one change.
    _seen: ClassVar[dict[tuple[str, str], Mapping[int, float]]] = {}
    _writing: ClassVar[threading.Lock] = threading.Lock()
    _FLOOR = 8_000  # pixels' worth of overhead in every iteration
    _FAR = 20  # times as many pixels as were seen are too many for an estimate
    _DEARER = 4.0  # cost of an encoder's iteration against the other's, until one was seen

    def __init__(self, encoders: Sequence[str], device: str) -> None:
        self._keys = [(encoder, device) for encoder in encoders]

    def costs(self, encoder: int) -> Mapping[int, float]:
        """Return the seconds of an iteration of an encoder, by pixels."""
        return self._seen.get(self._keys[encoder], {})

    def saw(self, scale: Scale, seconds: float) -> None:
        """Note what an iteration at `scale` cost."""
        key = self._keys[scale.encoder]
        with self._writing:
            costs = dict(self._seen.get(key, {}))
            before = costs.get(scale.pixels)
            # The very first iteration of a process also sets things up: forgotten at once.
            if before is not None and seconds >= before / 2:
                seconds = 0.8 * before + 0.2 * seconds
            costs[scale.pixels] = seconds
            if len(costs) > 64:
                costs.pop(next(iter(costs)))
            self._seen[key] = costs

    def knows(self, scale: Scale) -> bool:
        """Return whether an iteration was seen at a size near enough to estimate `scale`."""
        return any(
            seen * self._FAR >= scale.pixels
            for encoder in range(len(self._keys))
            for seen in self.costs(encoder)
        )

    def cost(self, scale: Scale) -> float:
        """Return the expected seconds for one iteration at `scale`, 0 before anything was seen."""
        factor, costs = 1.0, self.costs(scale.encoder)
        if not costs:
            factor = self._DEARER
            costs = next(filter(None, map(self.costs, range(len(self._keys)))), {})
        if not costs:
            return 0.0
        nearest = min(costs, key=lambda seen: abs(seen - scale.pixels))
        return factor * costs[nearest] * (scale.pixels + self._FLOOR) / (nearest + self._FLOOR)

    def remaining(self, left: int, scale: Scale, later: Iterable[Scale]) -> float:
        """Return the seconds for `left` iterations at `scale` and all of `later`."""
        return left * self.cost(scale) + sum(s.iterations * self.cost(s) for s in later)


@dataclass(frozen=True)
class Forecast:
    """What a painting will be, before it is begun."""

    width: int
    height: int
    seconds: float  # 0 if nothing is known yet


def forecast(width: int, height: int, settings: Settings, device: str) -> Forecast:
    """Return size and duration of painting a photo of `width` x `height`.

    Args:
        width: of the photo.
        height: of the photo.
        settings: how it is to be painted.
        device: where the encoders run.

    Raises:
        InputError: the photo cannot be painted with these settings.
    """
    scales = plan(width, height, settings, encoder_choice(settings))
    costs, end = Estimate(encoder_names(settings), device), scales[-1]
    seconds = costs.remaining(0, scales[0], scales) if costs.knows(end) else 0.0
    return Forecast(end.width, end.height, seconds)
