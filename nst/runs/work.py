"""A run's way from the queue to the finished picture."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from anyio import to_thread
from PIL import Image

from nst.clips.clip import seconds_of
from nst.errors import InputError
from nst.inputs import Inputs
from nst.optimization.frames import Frame
from nst.optimization.loop import Controls
from nst.painters import Backend, PainterDiedError
from nst.painters.pixels import Pixels
from nst.painters.previews import Preview
from nst.painters.scheduler import minutes
from nst.painters.worker import in_worker
from nst.runs import record
from nst.runs.decoder import Decoder, Moving
from nst.runs.log import log_run
from nst.runs.pictures import decoded
from nst.runs.run import Run, State, Waiting
from nst.runs.storage import FULL, NO_ROOM
from nst.runs.stream import Update, canvas_of, clip_so_far, painted_clip, save_frame
from nst.settings import Settings

log = logging.getLogger(__name__)

INTERVAL = 0.25  # seconds between frames
# Seconds between two looks at whether a run is to end, while it waits or its pictures are read.
_LOOK = 0.25
# Seconds between two times that a run in progress is written down.
_WRITTEN = 1.0
# How many times as many frames a film of a clip so far has as the one before.
_FILMED = 1.5
# So many painters may die over one run before it ends with what it has.
_DEATHS = 3

_Found = TypeVar("_Found")


class Work:
    """What is done for one run.

    Args:
        abandoned: asked whether everybody has left it.
        busy: seconds that it may paint while others wait.
    """

    def __init__(
        self, run: Run, painter: Backend, decoder: Decoder, abandoned: Callable[[], bool], busy: float
    ) -> None:
        self.run, self.painter, self.decoder = run, painter, decoder
        self.abandoned, self.busy = abandoned, busy
        self.asked = self.settings = run.settings
        self.photo: Pixels | None = None
        self.moving: Moving | None = None  # what is painted of a clip
        self.last: Frame | None = None
        self.remark = self.notice = ""  # on its pictures, and on what has happened to it
        self._gives_way = False
        self.clip = np.zeros((0, 0, 0, 3), np.uint8)  # what it is painted from, if it moves
        self._before = 0, 0.0  # frames and seconds of a clip before this turn
        self._filmed = 1  # frames that the last film of a clip so far has
        self._written = 0.0

    async def carry_out(self, ticket: Any) -> None:
        """Wait for a turn and paint; how it ended is told to the run, and noted in the log.

        Args:
            ticket: its place in the queue, given up in the end.
        """
        run = self.run
        try:
            await self._carry_out(ticket)
            self._end("stopped" if run.stopped else "left" if self.abandoned() else "finished")
        except InputError as error:
            self._end("refused", str(error))
        except asyncio.CancelledError:
            self._end("left")
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in FULL:
                log.error("no room left: %s", error)
                self._end("failed", NO_ROOM)
            else:
                number = uuid.uuid4().hex[:8]
                log.error("run failed, error %s", number, exc_info=error)
                self._end("failed", f"Something broke here (error {number}); try again.", number)
        finally:
            with contextlib.suppress(OSError):  # without it the run is lost if this process is killed
                record.write(run)

    async def _carry_out(self, ticket: Any) -> None:
        run, painter = self.run, self.painter
        try:
            photo: Any = run.pictures.photo
            size, self.moving = await self.decoder.describe(photo, "The photo", run.client)
            if self.moving:
                run.moves = True
                self.asked = replace(run.settings, size=min(run.settings.size, self.decoder.clip_size))
            seconds = (await painter.forecast(*size, self.asked)).seconds
            if self.moving:
                seconds = seconds_of(seconds, self.moving.count)
            # What cannot be read, or not in time, is found out in the line and costs nobody else a turn.
            pictures = await self._decoded()
            for died in range(1, _DEATHS + 1):
                try:
                    while (pictures := await self._begun(ticket, seconds, pictures)) is not None:
                        if await self._paint(ticket, pictures):
                            return
                        await painter.give_way(ticket)
                        self.run.tell(Waiting(1, 0))
                    return
                except PainterDiedError:
                    log.warning("a painter has died over a run, time %d of %d", died, _DEATHS)
                if died < _DEATHS:
                    with contextlib.suppress(PainterDiedError):
                        await painter.leave(ticket)
                    ticket = await painter.join(run.client, again=True)
                    frames = run.folder.frames
                    step = f" from step {frames[-1].iteration}" if frames else ""
                    self.notice = f"A painter of this host failed; another one goes on{step}."
            await self._make_do()
        finally:
            with contextlib.suppress(PainterDiedError):
                await asyncio.shield(painter.leave(ticket))

    async def _begun(
        self, ticket: Any, seconds: float, pictures: Inputs[Pixels] | None
    ) -> Inputs[Pixels] | None:
        """Wait for the turn; return the pictures, None if the run ends meanwhile."""
        standing = await self._unless_ending(self.painter.mark_ready(ticket, seconds))
        while standing is not None:
            if standing.begun:
                return pictures or await self._decoded()
            if not standing.place:
                raise InputError(f"This host is full; try again in about {minutes(standing.seconds)}.")
            if standing.place > 1:
                pictures = None  # a whole line of pictures would fill the memory
            elif pictures is None:
                pictures = await self._decoded()
            waiting = Waiting(standing.place, math.ceil(standing.seconds))
            if waiting != self.run.latest:
                self.run.tell(waiting)
            standing = await self._unless_ending(self.painter.wait_for_change(ticket, standing))
        return None

    async def _paint(self, ticket: Any, pictures: Inputs[Pixels]) -> bool:
        """Paint; return whether the run has ended, as a clip also gives way to others."""
        run, painter = self.run, self.painter
        run.state = "painting"
        if self.moving:
            pictures = self._rest_of_clip(pictures)
        elif self.last is not None:  # with a painter that died
            pictures = replace(pictures, resume=canvas_of(run.folder.frames[-1]))
        closed_up, places = pictures.compact()

        def settings_of(wanted: Settings) -> Settings:
            """Return settings whose shares belong to the styles that are there, in their order."""
            shares: dict[str, Any] = {f"blend_{n}": wanted.blend[place] for n, place in enumerate(places, 1)}
            return replace(wanted, **shares)

        def steered() -> Settings | None:
            return None if run.wished is None else settings_of(run.wished)

        self.settings, self.photo = settings_of(self.asked), closed_up.photo
        controls = Controls(self._ending, steered, INTERVAL)
        async with contextlib.aclosing(painter.paint(ticket, closed_up, self.settings, controls)) as found:
            async for preview in found:
                if preview.frame.final:
                    break
                await self._show(self._of_whole_clip(preview) if self.moving else preview)
                if preview.done and await self._others_wait():
                    return False
            else:
                if not self.moving:
                    return True
        # The next one need not wait until this is written.
        with contextlib.suppress(PainterDiedError):
            await painter.leave(ticket)
        await (self._finish_clip() if self.moving else self._show(preview))
        return True

    def _rest_of_clip(self, pictures: Inputs[Pixels]) -> Inputs[Pixels]:
        """Return what is still to be painted of a clip, beginning with the last frame that is finished."""
        self.clip, frames = np.asarray(pictures.photo), self.run.folder.frames
        self.asked = replace(self.asked, time_limit=max(1.0, self.run.settings.time_limit - self._spent()))
        self._before = len(frames) - 1 if frames else 0, self._spent()
        if not frames:
            return pictures
        return replace(pictures, photo=self.clip[len(frames) - 1 :], resume=canvas_of(frames[-1]))

    def _spent(self) -> float:
        return self.last.seconds if self.last else 0.0

    def _of_whole_clip(self, preview: Preview) -> Preview:
        """Return a preview with the numbers of the whole clip, of which maybe only the rest is painted."""
        (frames, seconds), frame = self._before, preview.frame
        counted = replace(
            frame,
            iteration=frame.iteration + frames,
            total=frame.total + frames,
            seconds=frame.seconds + seconds,
        )
        return replace(preview, frame=counted)

    async def _others_wait(self) -> bool:
        return (await self.painter.counts())[1] > 0

    async def _finish_clip(self) -> None:
        """Make films of what is finished of a clip, with its sound."""
        run, moving = self.run, self.moving
        if not run.folder.frames or moving is None:
            return
        webp, mp4, before = await to_thread.run_sync(painted_clip, run.folder, self.clip, moving)
        photo: Any = run.pictures.photo
        with contextlib.suppress(InputError):  # without its sound it is a film still
            mp4 = await self.decoder.sounded(photo, mp4, "The photo", run.client)
        path = await to_thread.run_sync(run.folder.finish_clip, webp, mp4, before)
        if self.last is not None:
            self.last = replace(self.last, final=True, remaining=0.0, notice=self.last.notice or self.notice)
            run.tell(Update(self.last, path))

    async def _show(self, preview: Preview) -> None:
        run, frame = self.run, preview.frame
        notice = " ".join(filter(None, (self.remark, self.notice, frame.notice)))
        shown = replace(preview, frame=replace(frame, notice=notice))
        update = await in_worker(save_frame, run.folder, shown, self.photo, self.settings)
        self.last = update.frame
        if preview.done and len(run.folder.frames) >= _FILMED * self._filmed and self.moving:
            self._filmed = len(run.folder.frames)
            await to_thread.run_sync(clip_so_far, run.folder, self.moving.rate)
        run.tell(update)
        if not frame.final and time.monotonic() - self._written >= _WRITTEN:
            record.write(run)
            self._written = time.monotonic()
            if frame.seconds > self.busy and not self.moving and await self._others_wait():
                self._gives_way = True
                self.notice = (
                    f"Others are waiting, so this ended after {frame.seconds:.0f} s. Press Continue to go on."
                )

    async def _make_do(self) -> None:
        """End with the last kept frame, as painters die one after the other."""
        frames, last = self.run.folder.frames, self.last
        if self.moving and frames:
            self.notice = f"{_DEATHS} painters of this host failed over it; this is how far it came."
            await self._finish_clip()
            return
        if last is None:
            raise InputError("The painters of this host fail one after the other; try again later.")
        canvas = canvas_of(frames[-1]).resize(last.target, Image.Resampling.BICUBIC).convert("RGB")
        self.notice = f"{_DEATHS} painters of this host failed over it; this is how far it came."
        frame = replace(last, image=np.asarray(canvas), remaining=0.0, final=True, notice="")
        await self._show(Preview(frame, last.target, frames[-1].change))

    async def _decoded(self) -> Inputs[Pixels] | None:
        found = await self._unless_ending(
            decoded(self.run.pictures, self.decoder, self.run.client, self.asked.size)
        )
        if found is None:
            return None
        pictures, self.remark = found
        return pictures

    async def _unless_ending(self, work: Awaitable[_Found]) -> _Found | None:
        """Return what `work` finds, or None if the run ends meanwhile."""
        task = asyncio.ensure_future(work)
        try:
            while not self._ending():
                await asyncio.wait({task}, timeout=_LOOK)
                if task.done():
                    return task.result()
            return None
        finally:
            task.cancel()

    def _ending(self) -> bool:
        return self.run.stopped or self._gives_way or self.abandoned()

    def _end(self, state: State, message: str = "", number: str = "") -> None:
        log_run(self.run.settings, self.run.began, self.last, state, number)
        self.run.finish(state, message)
