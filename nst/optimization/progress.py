"""The progress of a painting: iterations, seconds, frames."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType

import numpy as np

from nst.host.device import describe
from nst.optimization.estimate import Estimate
from nst.optimization.frames import Frame
from nst.optimization.memory_plan import Plan
from nst.optimization.objective import Evaluation
from nst.settings import Settings
from nst.vgg.encoder import Encoder


class Stopwatch:
    """Adds up the seconds spent in its context."""

    def __init__(self) -> None:
        self.total = self.last = self._began = 0.0

    def __enter__(self) -> None:
        self._began = time.monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.last = time.monotonic() - self._began
        self.total += self.last


class Progress:
    """Counts and times one painting.

    Args:
        encoders: those that take turns.
        plan: the scales.
    """

    def __init__(self, encoders: Sequence[Encoder], plan: Plan) -> None:
        self.plan = plan
        self.names = ", then ".join(encoder.name for encoder in encoders)
        self.device = describe(encoders[0].device)
        self.estimate = Estimate([encoder.name for encoder in encoders], self.device)
        self.watch = Stopwatch()  # of objective and optimiser
        self.began = time.monotonic()
        self.iterations = 0

    @property
    def seconds(self) -> float:
        """Since the painting began."""
        return time.monotonic() - self.began

    def frame(
        self,
        pixels: np.ndarray,
        evaluation: Evaluation | None,
        settings: Settings,
        notice: str,
        left: int | None,
        unpainted: int = 0,
    ) -> Frame:
        """Return a frame.

        Args:
            pixels: (H, W, 3) uint8.
            evaluation: of the canvas that they show.
            settings: the current ones.
            notice: one sentence if the picture is not what was asked for, else empty.
            left: how many iterations are left at this scale, None for the final frame.
            unpainted: how many were left at all scales when it was ended early.
        """
        scale = self.plan.scale or self.plan.scales[-1]
        later = [] if left is None else self.plan.later
        cost = self.estimate.cost(scale)
        return Frame(
            image=pixels,
            iteration=self.iterations,
            total=self.iterations + (left or 0) + sum(each.iterations for each in later) + unpainted,
            target=self.plan.scales[-1].size,
            losses=evaluation.named() if evaluation else {},
            seconds=self.seconds,
            optimising=self.watch.total,
            rate=1 / cost if cost else 0.0,
            remaining=0.0 if left is None else self.estimate.remaining(left, scale, later),
            encoder=self.names,
            device=self.device,
            settings=settings,
            final=left is None,
            notice=notice,
        )
