"""Painting in this process, one run at a time.

Two processes or threads that paint on the same cores were seen to slow each other down sevenfold.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any

import torch

from nst import painting
from nst.host.device import describe, pick_device
from nst.inputs import Inputs
from nst.optimization import estimate
from nst.optimization.loop import Controls
from nst.settings import Settings
from nst.ui.runs.painters import Standing, standing_in
from nst.ui.runs.painters.worker import busy_for, each_in_worker, submit
from nst.ui.runs.pixels import Pixels, as_given
from nst.ui.runs.previews import Preview, previews
from nst.ui.runs.queue import Queue, Turn

if TYPE_CHECKING:
    from nst.ui.limits import Limits

log = logging.getLogger(__name__)

# Seconds after which a run that waits is told anew how long it has to.
_AGAIN = 0.5


class Local:
    """The painter that this process is.

    Args:
        limits: how many may wait.
    """

    def __init__(self, limits: Limits) -> None:
        self.queue, self.busy = Queue(limits.waiting, limits.each), limits.busy
        self._left = asyncio.Event()  # set when somebody leaves, and another takes its place

    async def join(self, visitor: str, *, again: bool = False) -> Turn:
        """Queue up."""
        return self.queue.join(visitor, again=again)

    async def is_ready(self, turn: Turn, seconds: float) -> Standing:
        """Let a run begin when its turn comes."""
        self.queue.is_ready(turn, min(seconds, self.busy))
        return standing_in(self.queue, turn)

    async def moved(self, turn: Turn, before: Standing) -> Standing:
        """Wait until a run stands otherwise."""
        if turn.painter is None:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._left.wait(), _AGAIN)
        return standing_in(self.queue, turn)

    async def leave(self, turn: Turn) -> None:
        """Give a turn up."""
        self.queue.leave(turn)
        left, self._left = self._left, asyncio.Event()
        left.set()

    async def paint(
        self, turn: Turn, pictures: Inputs[Pixels], settings: Settings, controls: Controls
    ) -> AsyncGenerator[Preview, None]:
        """Paint in the thread that computes."""
        frames = each_in_worker(self.frames(pictures, settings, controls))
        async with contextlib.aclosing(frames):
            async for preview in frames:
                turn.seconds = min(preview.frame.remaining, self.busy)
                yield preview

    def frames(
        self, pictures: Inputs[Pixels], settings: Settings, controls: Controls
    ) -> Generator[Preview, None, None]:
        """Yield frames."""
        return frames(pictures, settings, controls)

    async def forecast(self, width: int, height: int, settings: Settings) -> estimate.Forecast:
        """Return what a run will be."""
        return estimate.forecast(width, height, settings, describe(pick_device()))

    async def device(self) -> str:
        """Return what paints."""
        return describe(pick_device())

    async def counts(self) -> tuple[int, int]:
        """Return how many runs paint and how many wait."""
        return self.queue.counts()

    def busy_for(self) -> float:
        """Return for how long the computation in progress has gone on."""
        return busy_for()

    def start(self) -> None:
        """Warm up."""
        submit(self.warm_up)

    def warm_up(self) -> None:
        """Get ready, in the thread that computes."""
        warm_up()

    def close(self) -> None:
        """There is nothing to give back."""


def frames(
    pictures: Inputs[Pixels], settings: Settings, controls: Controls
) -> Generator[Preview, None, None]:
    """Yield the frames of a painting of decoded pixels; whoever takes the first one computes all."""
    painted = painting.paint(pictures.map(as_given), settings, controls=controls)
    yield from previews(painted, pictures.photo, settings)


def warm_up() -> None:
    """Load the encoder and paint a speck, so that the first visitor is told how long it will take.

    128 px, as 64 alone would say little of 512.
    """
    try:
        speck: Any = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))
        for _ in painting.stylize(speck, speck, Settings(size=128, iterations=16)):
            pass
    except Exception:  # the page works without; the visitor's own run will tell what is wrong
        log.exception("warm-up failed")
