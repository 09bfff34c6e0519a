"""A run's way from the queue to the finished picture."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
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
from nst.runs.pictures import decoded
from nst.runs.run import Run, State
from nst.runs.storage import FULL, NO_ROOM, Upload
from nst.runs.stream import Update, canvas_of, film_so_far, films, finish_clip, save_clip_frame, save_frame
from nst.settings import KNOBS, Settings

log = logging.getLogger(__name__)
_each_run = logging.getLogger("nst.runs")  # one line for each run

_INTERVAL = 0.25  # seconds between frames
_LOOK = 0.25  # seconds between two looks at whether a run that does not paint yet is to end
_DEATHS = 3  # painters that may die over one run before it ends with what it has

_Found = TypeVar("_Found")


class _EndingError(Exception):
    """The run is to end though it does not paint yet."""


@dataclass
class Work:
    """What is done for one run."""

    run: Run
    painter: Backend
    decoder: Decoder
    abandoned: Callable[[], bool]  # asked whether everybody has left it
    busy: float  # seconds that it may paint while others wait
    settings: Settings = field(init=False)  # how it begins, with shares for the styles that are there
    photo: Pixels | None = None
    last: Frame | None = None
    asked: Settings = field(init=False)  # a clip is painted no larger than this host does
    moving: Moving | None = None  # what is painted of a clip
    clip: np.ndarray | None = None  # all its frames
    before: tuple[int, float] = 0, 0.0  # frames and seconds of a clip before this turn
    remark: str = ""  # on its pictures
    notice: str = ""  # on what has happened to it
    gives_way: bool = False

    async def carry_out(self, ticket: Any) -> None:
        """Wait for a turn with a ticket, paint, and give it up; the run and the log are told how it ended."""
        run = self.run
        try:
            await self._carry_out(ticket)
            self._end("stopped" if run.stop.is_set() else "left" if self.abandoned() else "finished")
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
                self._end("failed", f"Something broke here (error {number}); try again.", error=number)
        finally:
            with contextlib.suppress(OSError):  # without it the run is lost if this process is killed
                record.write(run)

    async def _carry_out(self, ticket: Any) -> None:
        run, painter = self.run, self.painter
        try:
            photo: Any = run.pictures.photo
            size, self.moving = await self.decoder.describe(photo, "The photo", run.client)
            self.asked = run.settings
            if self.moving:
                if run.pictures.resume is not None:
                    raise InputError("A clip cannot go on from a picture; leave that out.")
                self.asked = self.moving.fitted(self.asked)
            still = (await painter.forecast(*size, self.asked)).seconds
            seconds = seconds_of(still, self.moving.count if self.moving else 1)
            # What cannot be read, or not in time, is found out in the line and costs nobody else a turn.
            pictures: Inputs[Pixels] | None = await self._decoded()
            for died in range(1, _DEATHS + 1):
                try:
                    while True:
                        pictures = await self._begun(ticket, seconds, pictures)
                        if await self._paint(ticket, pictures):
                            return
                        await painter.give_way(ticket)
                except PainterDiedError:
                    log.warning("a painter has died over a run, time %d of %d", died, _DEATHS)
                if died < _DEATHS:
                    await painter.leave(ticket)
                    ticket = await painter.join(run.client, again=True)
                    frames = run.folder.frames
                    step = f" from {run.step} {frames[-1].iteration}" if frames else ""
                    self.notice = f"A painter of this host failed; another one goes on{step}."
            await self._make_do()
        except _EndingError:
            await self._finish_clip()  # which may have been waiting between two frames
        finally:
            await asyncio.shield(painter.leave(ticket))

    async def _begun(self, ticket: Any, seconds: float, pictures: Inputs[Pixels] | None) -> Inputs[Pixels]:
        """Wait for the turn; return the pictures."""
        standing = await self._unless_ending(self.painter.mark_ready(ticket, seconds))
        while not standing.begun:
            if not standing.place:
                raise InputError(f"This host is full; try again in about {minutes(standing.seconds)}.")
            if standing.place > 1:
                pictures = None  # a whole line of pictures would fill the memory
            elif pictures is None:
                pictures = await self._decoded()
            waiting = standing._replace(seconds=math.ceil(standing.seconds))
            if waiting != self.run.latest:
                self.run.tell(waiting)
            standing = await self._unless_ending(self.painter.wait_for_change(ticket, standing))
        return pictures or await self._decoded()

    async def _paint(self, ticket: Any, pictures: Inputs[Pixels]) -> bool:
        """Paint; return whether it has ended, as a clip gives way to others between two frames."""
        run, painter = self.run, self.painter
        run.state = "painting"
        if self.moving:
            pictures = self._rest_of_clip(pictures)
        elif self.last is not None:  # with a painter that died
            pictures = replace(pictures, resume=canvas_of(run.folder.frames[-1]))
        closed_up, places = pictures.compact()

        def settings_of(wanted: Settings) -> Settings:  # with the shares of the styles that are there
            shares: dict[str, Any] = {f"blend_{n}": wanted.blend[place] for n, place in enumerate(places, 1)}
            return replace(wanted, **shares)

        def steered() -> Settings | None:
            return None if run.wished is None else settings_of(run.wished)

        self.settings, self.photo = settings_of(self.asked), closed_up.photo
        controls = Controls(self._ending, steered, _INTERVAL)
        async with contextlib.aclosing(painter.paint(ticket, closed_up, self.settings, controls)) as found:
            async for preview in found:
                if preview.frame.final:
                    break
                await self._show(preview)
                if preview.done and (await painter.counts())[1]:
                    return False
            else:
                if not self.moving:
                    return True
        # The next one need not wait until this is written.
        await painter.leave(ticket)
        await (self._finish_clip() if self.moving else self._show(preview))
        return True

    def _rest_of_clip(self, pictures: Inputs[Pixels]) -> Inputs[Pixels]:
        """Return what is still to be painted of a clip, beginning with the last frame that is finished."""
        self.clip, frames = np.asarray(pictures.photo), self.run.folder.frames
        spent = self.last.seconds if self.last else 0.0
        self.asked = replace(self.asked, time_limit=max(1.0, self.run.settings.time_limit - spent))
        done = min(len(frames), len(self.clip))
        self.before = max(0, done - 1), spent
        if not done:
            return pictures
        return replace(pictures, photo=self.clip[done - 1 :], resume=canvas_of(frames[done - 1]))

    async def _finish_clip(self) -> None:
        """Make films of what is finished of a clip, with its sound."""
        run, moving, clip, photo = self.run, self.moving, self.clip, self.run.pictures.photo
        if moving is None or clip is None or not run.folder.frames:
            return
        webp, mp4, before = await to_thread.run_sync(films, run.folder, clip, moving.rate)
        with contextlib.suppress(InputError):  # without its sound it is a film still
            if isinstance(photo, Upload):
                mp4 = await self.decoder.sounded(photo, mp4, "The photo", run.client)
        path = await to_thread.run_sync(finish_clip, run.folder, webp, mp4, before)
        if self.last is not None:
            self.last = replace(self.last, final=True, remaining=0.0, notice=self.last.notice or self.notice)
            run.tell(Update(self.last, path))

    async def _show(self, preview: Preview) -> None:
        run, frame = self.run, preview.frame
        frames, seconds = self.before
        frame = replace(
            frame,
            iteration=frame.iteration + frames,
            total=frame.total + frames,
            seconds=frame.seconds + seconds,
            notice=" ".join(filter(None, (self.remark, self.notice, frame.notice))),
        )
        shown = replace(preview, frame=frame)
        if self.moving:
            path = await in_worker(save_clip_frame, run.folder, shown)
            if preview.done:
                await to_thread.run_sync(film_so_far, run.folder, self.moving.rate)
        else:
            path = await in_worker(save_frame, run.folder, shown, self.photo, self.settings)
        nothing = np.broadcast_to(np.uint8(0), (*reversed(preview.size), 3))
        self.last = replace(frame, image=nothing)
        run.tell(Update(self.last, path))
        if frame.final:
            return
        record.write(run)
        if frame.seconds > self.busy and not self.moving and (await self.painter.counts())[1]:
            self.gives_way = True
            self.notice = (
                f"Others are waiting, so this ended after {frame.seconds:.0f} s. Press Continue to go on."
            )

    async def _make_do(self) -> None:
        """End with the last kept frame, as painters die one after the other."""
        frames, last = self.run.folder.frames, self.last
        if last is None:
            raise InputError("The painters of this host fail one after the other; try again later.")
        self.notice = f"{_DEATHS} painters of this host failed over it; this is how far it came."
        if self.moving:
            await self._finish_clip()
            return
        canvas = canvas_of(frames[-1]).resize(last.target, Image.Resampling.BICUBIC).convert("RGB")
        frame = replace(last, image=np.asarray(canvas), remaining=0.0, final=True, notice="")
        await self._show(Preview(frame, last.target, frames[-1].change))

    async def _decoded(self) -> Inputs[Pixels]:
        work = decoded(self.run.pictures, self.decoder, self.run.client, self.asked.size)
        pictures, self.remark = await self._unless_ending(work)
        return pictures

    async def _unless_ending(self, work: Awaitable[_Found]) -> _Found:
        """Return what `work` finds; raise _EndingError if the run is to end meanwhile."""
        task = asyncio.ensure_future(work)
        try:
            while not self._ending():
                await asyncio.wait({task}, timeout=_LOOK)
                if task.done():
                    return task.result()
            raise _EndingError
        finally:
            task.cancel()

    def _ending(self) -> bool:
        return self.run.stop.is_set() or self.gives_way or self.abandoned()

    def _end(self, state: State, message: str = "", **more: object) -> None:
        """Tell the run how it ended, and the log what it was, but never whose or of what."""
        run, frame = self.run, self.last
        fields: dict[str, object] = {"outcome": state, "seconds": round(time.time() - run.began, 2), **more}
        if frame:
            fields |= {
                "size": f"{frame.width}x{frame.height}",
                "iterations": frame.iteration,
                "painting": round(frame.seconds, 2),
                "optimising": round(frame.optimising, 2),
                "painter": f"{frame.encoder} on {frame.device}",
            }
        knobs = run.settings.public()
        fields["settings"] = {name: value for name, value in knobs.items() if value != KNOBS[name].default}
        _each_run.info("%s", json.dumps(fields))
        run.finish(state, message)
