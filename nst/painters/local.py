"""Painting in this process, one run at a time.

Two processes or threads that paint on the same cores were seen to slow each other down sevenfold.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator, Generator
from typing import Any

import torch

from nst import painting
from nst.host.device import describe, pick_device
from nst.inputs import Inputs
from nst.optimization import estimate
from nst.optimization.loop import Controls
from nst.painters import scheduler
from nst.painters.pixels import Pixels, as_given
from nst.painters.previews import Preview, previews
from nst.painters.scheduler import Standing, Ticket
from nst.painters.worker import busy_for, each_in_worker, submit
from nst.settings import Settings

log = logging.getLogger(__name__)

# Seconds after which a run that waits is told anew how long it has to wait.
_AGAIN = 0.5


class Local:
    """The painter that this process is.

    Args:
        waiting: how many runs may wait.
        each: how many of a client's runs may wait or paint.
        busy: seconds that a run may paint while others wait.
    """

    def __init__(self, waiting: int, each: int, busy: float) -> None:
        self.scheduler, self.busy = scheduler.of_runs(waiting, each), busy

    async def join(self, client: str, *, again: bool = False) -> Ticket:
        """Queue up."""
        return self.scheduler.join(client, again=again)

    async def mark_ready(self, ticket: Ticket, seconds: float) -> Standing:
        """Let a run begin when its turn comes."""
        self.scheduler.mark_ready(ticket, min(seconds, self.busy))
        return self.scheduler.standing(ticket)

    async def wait_for_change(self, ticket: Ticket, before: Standing) -> Standing:
        """Wait until a run stands otherwise, or for a while."""
        ticket.known = await self.scheduler.wait_for_change(ticket.known, _AGAIN)
        return self.scheduler.standing(ticket)

    async def leave(self, ticket: Ticket) -> None:
        """Give a ticket up."""
        self.scheduler.leave(ticket)

    async def paint(
        self, ticket: Ticket, pictures: Inputs[Pixels], settings: Settings, controls: Controls
    ) -> AsyncGenerator[Preview, None]:
        """Paint in the thread that computes."""
        frames = each_in_worker(self.frames(pictures, settings, controls))
        async with contextlib.aclosing(frames):
            async for preview in frames:
                ticket.seconds = min(preview.frame.remaining, self.busy)
                yield preview

    def frames(
        self, pictures: Inputs[Pixels], settings: Settings, controls: Controls
    ) -> Generator[Preview, None, None]:
        """Yield frames."""
        return frames(pictures, settings, controls)

    async def forecast(self, width: int, height: int, settings: Settings) -> estimate.Forecast:
        """Return what a run will be."""
        return estimate.forecast(width, height, settings, describe(pick_device()))

    async def counts(self) -> tuple[int, int]:
        """Return how many runs paint and how many wait."""
        return self.scheduler.counts()

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
