"""A run's way from the queue to the finished picture."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from PIL import Image

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
from nst.runs.decoder import Decoder
from nst.runs.log import Entry
from nst.runs.pictures import decoded as decode
from nst.runs.pictures import remarks
from nst.runs.run import Run, State, Waiting
from nst.runs.storage import FULL, NO_ROOM, Upload
from nst.runs.stream import Recorder, canvas_of
from nst.settings import Settings

log = logging.getLogger(__name__)

INTERVAL = 0.25  # seconds between frames
# Seconds after which a run that waits says so, and says so again.
_AGAIN = 0.5
# Seconds between two looks at whether anybody is still there, while a run waits or its pictures are read.
_LOOK = 1.0
# Seconds between two times that a run in progress is written down.
_WRITTEN = 1.0
# So many painters may die over one run before it ends with what it has.
_DEATHS = 3

_Found = TypeVar("_Found")


class Work:
    """What is done for one run.

    Args:
        busy: seconds that it may paint while others wait.
    """

    def __init__(
        self, run: Run, painter: Backend, decoder: Decoder, abandoned: Callable[[], bool], busy: float
    ) -> None:
        self.run, self.painter, self.decoder, self.abandoned, self.busy = (
            run,
            painter,
            decoder,
            abandoned,
            busy,
        )
        self._gives_way = False
        self.entry = Entry(run.settings)
        self.last: Frame | None = None
        self.recorder: Recorder | None = None
        self.notice = ""
        self._written = 0.0
        self._asked = asyncio.wrap_future(run.stop_requested)

    async def carry_out(self, ticket: Any) -> None:
        """Wait for a turn and paint; how it ended is told to the run, and noted in the log.

        Args:
            ticket: its place in the queue, given up in the end.
        """
        run = self.run
        try:
            await self._carry_out(ticket)
            state: State = "stopped" if run.stopped else "left" if self.abandoned() else "finished"
            self._end(state)
        except InputError as error:
            self._end("refused", str(error))
        except asyncio.CancelledError:
            self._end("left")
            raise
        except OSError as error:
            if error.errno in FULL:
                log.error("no room left: %s", error)
                self._end("failed", NO_ROOM)
            else:
                self._broken(error)
        except Exception as error:
            self._broken(error)
        finally:
            with contextlib.suppress(OSError):  # without it the run is lost if this process is killed
                record.write(run)

    async def _carry_out(self, ticket: Any) -> None:
        run, painter = self.run, self.painter
        try:
            seconds = await self._expected()
            # What cannot be read, or not in time, is found out in the line and costs nobody else a turn.
            pictures = await self._decoded()
            died = 0
            while True:
                try:
                    pictures = await self._begun(ticket, seconds, pictures)
                    if pictures is not None:
                        await self._paint(ticket, pictures)
                    return
                except PainterDiedError:
                    died += 1
                    log.warning("a painter has died over a run, time %d of %d", died, _DEATHS)
                if died == _DEATHS:
                    await self._make_do()
                    return
                pictures = pictures and self._resumed(pictures)
                with contextlib.suppress(PainterDiedError):
                    await painter.leave(ticket)
                ticket = await painter.join(run.client, again=True)
        finally:
            with contextlib.suppress(PainterDiedError):
                await asyncio.shield(painter.leave(ticket))

    async def _begun(
        self, ticket: Any, seconds: float, pictures: Inputs[Pixels] | None
    ) -> Inputs[Pixels] | None:
        """Wait for the turn; return the pictures, None if the run ends meanwhile."""
        standing = await self._unless_ending(self.painter.mark_ready(ticket, seconds))
        announced = time.monotonic()
        while standing is not None:
            if standing.begun:
                return pictures or await self._decoded()
            if not standing.place:
                raise InputError(f"This host is full; try again in about {minutes(standing.seconds)}.")
            if standing.place > 1 and not self._resumes(pictures):
                pictures = None  # a whole line of pictures would fill the memory
            elif pictures is None:
                pictures = await self._decoded()
            waiting = Waiting(standing.place, standing.seconds)
            if time.monotonic() - announced >= _AGAIN and waiting.is_news(self.run.latest):
                self.run.tell(waiting)
                announced = time.monotonic()
            standing = await self._unless_ending(self.painter.wait_for_change(ticket, standing))
        return None

    async def _paint(self, ticket: Any, pictures: Inputs[Pixels]) -> None:
        run, painter = self.run, self.painter
        run.state = "painting"
        closed_up, places = pictures.compact()

        def settings_of(wanted: Settings) -> Settings:
            """Return settings whose shares belong to the styles that are there, in their order."""
            shares: dict[str, Any] = {f"blend_{n}": wanted.blend[place] for n, place in enumerate(places, 1)}
            return replace(wanted, **shares)

        def steered() -> Settings | None:
            return None if run.wished is None else settings_of(run.wished)

        settings = settings_of(run.settings)
        recorder = self.recorder = Recorder(run.folder, closed_up.photo, settings)
        controls = Controls(self._ending, steered, INTERVAL)
        async with contextlib.aclosing(painter.paint(ticket, closed_up, settings, controls)) as found:
            async for preview in found:
                if preview.frame.final:
                    break
                await self._show(recorder, preview)
            else:
                return
        # The next one need not wait until this is written.
        with contextlib.suppress(PainterDiedError):
            await painter.leave(ticket)
        await self._show(recorder, preview)

    async def _show(self, recorder: Recorder, preview: Preview) -> None:
        frame = preview.frame
        notices = remarks(self.run.pictures, self.decoder), self.notice, frame.notice
        shown = replace(preview, frame=replace(frame, notice=" ".join(filter(None, notices))))
        update = await in_worker(recorder.update, shown)
        self.last = self.entry.frame = update.frame
        self.run.tell(update)
        if not frame.final and time.monotonic() - self._written >= _WRITTEN:
            record.write(self.run)
            self._written = time.monotonic()
            if frame.seconds > self.busy and (await self.painter.counts())[1]:
                self._gives_way = True
                self.notice = (
                    f"Others are waiting, so this ended after {frame.seconds:.0f} s. Press Continue to go on."
                )

    # When a painter dies

    def _resumes(self, pictures: Inputs[Pixels] | None) -> bool:
        return bool(self.notice) and pictures is not None

    def _resumed(self, pictures: Inputs[Pixels]) -> Inputs[Pixels]:
        """Return what the run goes on from: its last kept frame."""
        frames = self.run.folder.frames
        self.notice = "A painter of this host failed; another one goes on" + (
            f" from step {frames[-1].iteration}." if frames else "."
        )
        return replace(pictures, resume=canvas_of(frames[-1])) if frames else pictures

    async def _make_do(self) -> None:
        """End with the last kept frame."""
        frames, last = self.run.folder.frames, self.last
        if last is None or not frames:
            raise InputError("The painters of this host fail one after the other; try again later.")
        canvas = canvas_of(frames[-1]).resize(last.target, Image.Resampling.BICUBIC).convert("RGB")
        self.notice = f"{_DEATHS} painters of this host failed over it; this is how far it came."
        frame = replace(last, image=np.asarray(canvas), remaining=0.0, final=True, notice="")
        photo = self.recorder.photo if self.recorder else canvas
        recorder = Recorder(self.run.folder, photo, self.run.settings)
        await self._show(recorder, Preview(frame, last.target, frames[-1].change))

    # What comes before

    async def _expected(self) -> float:
        """Return the seconds that the run will take, 0 if unknown; refuse what cannot be painted."""
        photo = self.run.pictures.photo
        if not isinstance(photo, Upload):
            raise InputError("Add a photo first.")
        size = await self.decoder.measure(photo, "The photo", self.run.client)
        return (await self.painter.forecast(*size, self.run.settings)).seconds

    async def _decoded(self) -> Inputs[Pixels] | None:
        return await self._unless_ending(decode(self.run.pictures, self.decoder, self.run.client))

    async def _unless_ending(self, work: Awaitable[_Found]) -> _Found | None:
        """Return what `work` finds, or None if the run ends meanwhile."""
        task = asyncio.ensure_future(work)
        either: set[asyncio.Future[Any]] = {task, self._asked}
        try:
            while not self._ending():
                await asyncio.wait(either, timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
                if task.done():
                    return task.result()
            return None
        finally:
            task.cancel()

    # How it ends

    def _ending(self) -> bool:
        return self.run.stopped or self._gives_way or self.abandoned()

    def _end(self, state: State, message: str = "", number: str = "") -> None:
        self.entry.end(state, number)
        self.run.finish(state, message)

    def _broken(self, error: Exception) -> None:
        """Note what nobody foresaw; tell the visitor its number."""
        number = uuid.uuid4().hex[:8]
        log.error("run failed, error %s", number, exc_info=error)
        self._end("failed", f"Something broke here (error {number}); try again.", number)
