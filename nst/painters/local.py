"""Painting in this process, one run at a time.

Two processes or threads that paint on the same cores were seen to slow each other down sevenfold.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from nst import painting
from nst.clips.clip import ClipFrame, stylize_clip
from nst.host.shared_cores import SharedCores
from nst.inputs import Inputs
from nst.optimization.loop import Controls
from nst.painters import Backend, worker
from nst.painters.pixels import Pixels, as_given, is_clip
from nst.painters.previews import Preview, clip_previews, previews
from nst.painters.scheduler import Scheduler, Ticket
from nst.settings import Settings

log = logging.getLogger(__name__)


_cores = SharedCores(torch.get_num_threads())


def frames(pictures: Inputs[Pixels], settings: Settings, controls: Controls) -> Generator[Preview]:
    """Yield the frames of a painting of decoded pixels; whoever takes the first one computes all."""
    controls = replace(controls, stop=_cores.following(controls.stop))  # asked at every iteration
    if is_clip(pictures.photo):
        yield from clip_previews(clip_frames(pictures, settings, controls), controls)
    else:
        painted = painting.paint(pictures.map(as_given), settings, controls=controls)
        yield from previews(painted, pictures.photo, settings)


def clip_frames(pictures: Inputs[Pixels], settings: Settings, controls: Controls) -> Generator[ClipFrame]:
    """Yield the frames of a clip, which the photo is; the painting to go on with is one of its first."""
    clip = np.asarray(pictures.photo)
    given = replace(pictures, photo=clip[0]).map(as_given)
    return stylize_clip(
        clip,
        given.paintings,
        settings,
        keep=given.keep,
        regions=given.regions,
        style_masks=given.style_masks,
        start=given.start,
        resume=given.resume,
        **vars(controls),
    )


def warm_up() -> None:
    """Load the encoder and paint a speck, so that the first visitor is told how long it will take."""
    try:  # 128 px, as 64 alone would say little of 512
        speck: Any = torch.rand(1, 3, 128, 128, generator=torch.Generator().manual_seed(0))
        for _ in painting.stylize(speck, speck, Settings(size=128, iterations=16)):
            pass
    except Exception:  # the page works without; the visitor's own run will tell what is wrong
        log.exception("warm-up failed")


class Local(Scheduler, Backend):
    """What paints for this process, and the queue for it; its numbers are those of `painter_of`."""

    # Both are called in the thread that computes.
    frames: Callable[..., Generator[Preview]] = staticmethod(frames)
    warm_up: Callable[[], None] = staticmethod(warm_up)

    def __init__(self, waiting: int, each: int, busy: float) -> None:
        super().__init__(waiting, each, ("this process",), busy)

    async def paint(
        self, ticket: Ticket, pictures: Inputs[Pixels], settings: Settings, controls: Controls
    ) -> AsyncGenerator[Preview]:
        """Paint in the thread that computes."""
        made = worker.each_in_worker(self.frames(pictures, settings, controls))
        async with contextlib.aclosing(made):
            async for preview in made:
                ticket.seconds = preview.frame.remaining
                yield preview

    def busy_for(self) -> float:
        return worker.busy_for()

    def start(self) -> None:
        worker.submit(self.warm_up)
