"""Paint, Stop, Continue: a visitor's run, and what is shown of it."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import gradio as gr
from gradio.blocks import Block

from nst.errors import InputError
from nst.gradio_faults.events import message
from nst.guard.clients import client_of, session_of
from nst.guard.service import Service
from nst.page import status
from nst.page.components import freed
from nst.page.parts import LONG, QUIET, Values
from nst.page.parts.comparison import Comparison
from nst.page.parts.film import TimeLapse
from nst.page.parts.forecast import ForecastLine
from nst.page.parts.knobs import Knobs
from nst.page.parts.pictures import PictureInputs
from nst.page.parts.returning import Returning
from nst.page.parts.stage import Stage
from nst.runs.run import Run, Waiting
from nst.runs.stream import Update, canvas_of
from nst.settings import Settings

# What a screen reader is told of a run that has ended.
SPOKEN = {"finished": "Your painting is ready.", "stopped": "Stopped."}
_OTHER_PHOTO = "Continue needs the photo it began with. Press Paint to start a new painting."
_EARLIER = "It uses the earlier pictures. Stop and press Paint to use the new ones."
BUSY = f"() => ['busy', null, {json.dumps(status.idle('Starting…'))}]"
FREED = "() => ({ state: 'ready', id: '', spoken: '' })"


class RunController:
    """The runs of the page's visitors."""

    def __init__(
        self, service: Service, pictures: PictureInputs, knobs: Knobs, stage: Stage, chart: gr.LinePlot
    ) -> None:
        self.service, self.pictures, self.knobs = service, pictures, knobs
        self.stage, self.chart = stage, chart
        # By page: which of its events may write on the canvas, and what ends a run that is not shown yet.
        self._showing: dict[str, object] = {}
        self._beginning: dict[str, threading.Event] = {}
        self._changed_pictures: set[str] = set()  # pages that show other pictures than those of their run

    def listen(
        self, comparison: Comparison, forecast: ForecastLine, returning: Returning, film: TimeLapse
    ) -> None:
        """Begin, stop and steer runs, and show those that are there already.

        Args:
            forecast: is told anew after a run, which has shown how fast this host is.
        """
        stage, self.comparison, self.film = self.stage, comparison, film
        given: set[Block] = {stage.handle, *self.pictures.all, *self.knobs.all}
        # Gradio builds each output anew at every frame, told or not; what ends a run comes after it.
        shown = [stage.handle, stage.live, stage.status, self.chart, stage.paint]
        ended = [stage.actions, stage.live, comparison.slider, stage.strip, returning.row]

        async def released(values: Values) -> Values:
            run = stage.run(values)
            if run is not None and run.under_way:  # of another event
                return returning.row_of(values)
            return {**await stage.released(run), **comparison.showing(run), **returning.row_of(values)}

        async def settled(values: Values) -> Values:
            return await released(values) if stage.run(values) else returning.row_of(values)

        def size(event: gr.EventData) -> Any:
            return message(event).get("size", gr.skip())

        for begun in (stage.paint.submit, stage.actions.submit, stage.actions.select):
            # By the browser alone: at once, and before anything that the server may say.
            begun(None, None, [*stage.buttons, stage.status], js=BUSY, **QUIET)
            # Each of them is heard, also one that follows an end before Gradio has noted it.
            painted = begun(
                self._begin, given, shown, show_progress_on=stage.status, trigger_mode="multiple", **LONG
            )
            painted.failure(None, None, stage.paint, js=FREED, **QUIET)
            painted.then(released, {stage.handle}, ended, **QUIET).then(
                forecast.tell, forecast.inputs, forecast.line, **QUIET
            ).then(film.make, {stage.handle}, film.shown, **LONG)
        followed = returning.brought.then(
            self._follow, {stage.handle}, shown, show_progress_on=stage.status, **LONG
        )
        followed.failure(None, None, stage.paint, js=FREED, **QUIET)
        followed.then(settled, {stage.handle}, ended, **QUIET).then(
            film.make, {stage.handle}, film.shown, **LONG
        )
        # What the next run would be, a link too, is of the size that is shown.
        stage.actions.select(size, None, self.knobs.components["size"], **QUIET)
        gr.on(
            [self.pictures.photo.change, self.pictures.style.change],
            self._changed,
            {stage.handle, self.pictures.photo, self.pictures.style},
            [stage.live, stage.status, *stage.of_run, comparison.slider, *film.shown],
            trigger_mode="multiple",
            **QUIET,
        )
        stage.paint.stop(self._stop, {stage.handle}, stage.paint, **QUIET)
        gr.on(
            [knob.change for knob in self.knobs.live],
            self._steer,
            {stage.handle, *self.knobs.live},
            trigger_mode="multiple",
            **QUIET,
        )

    async def _begin(
        self, values: Values, event: gr.EventData, request: gr.Request
    ) -> AsyncGenerator[Values, None]:
        """Paint for a visitor: from the start, or from the frame that is shown on, maybe at another size."""
        stage, client, session = self.stage, client_of(request), session_of(request)
        kept = stage.chosen(values) if event.target is stage.actions else None
        if kept and "size" in message(event):
            values = {**values, self.knobs.components["size"]: message(event)["size"]}
        self._beginning[session] = stopped = threading.Event()
        try:
            settings = self.knobs.settings(values)
            canvas = canvas_of(kept) if kept else None
            pictures = await self.pictures.read(values, client, canvas)
            if kept and (run := stage.run(values)) and run.pictures.photo != pictures.photo:
                raise InputError(_OTHER_PHOTO)
            run = await self.service.runs.begin(
                stage.owner(values), client, pictures, settings, drawings=self.pictures.drawings(values)
            )
        except InputError as error:
            yield {stage.status: status.failed(str(error)), stage.paint: freed()}
            return
        finally:
            self._beginning.pop(session, None)
        if stopped.is_set():
            run.request_stop()
        async with aclosing(self._shown(run, values, request)) as shown:
            async for each in shown:
                yield each

    async def _follow(self, values: Values, request: gr.Request) -> AsyncGenerator[Values, None]:
        """Show a run that was begun before this page was there."""
        run = self.stage.run(values)
        if run is None:
            yield {self.stage.status: gr.skip()}
            return
        async with aclosing(self._shown(run, values, request)) as shown:
            async for each in shown:
                yield each

    async def _shown(self, run: Run, values: Values, request: gr.Request) -> AsyncGenerator[Values, None]:
        """Yield what a page shows of a run, until it has ended or the page shows another."""
        stage, session, token = self.stage, session_of(request), object()
        self._showing[session] = token
        show = _RunView(stage, self.chart, run, stage.showing(values, run))
        try:
            yield show.state
            async with aclosing(run.follow(session)) as updates:
                async for update in updates:
                    if self._showing.get(session) is not token:
                        return
                    yield show.moment(update, changed=session in self._changed_pictures)
            if stage.runs.find(run.owner, run.id) is not None:  # it may have been deleted meanwhile
                yield show.ended()
            else:
                yield {stage.paint: freed()}
        finally:
            self._changed_pictures.discard(session)
            if self._showing.get(session) is token:
                del self._showing[session]

    def _stop(self, values: Values, request: gr.Request) -> Values:
        # The answer may come after the end was told, and must not take that back.
        run, beginning = self.stage.run(values), self._beginning.get(session_of(request))
        if beginning:
            beginning.set()
        elif run and run.under_way:
            run.request_stop()
        else:
            return {self.stage.paint: "missed"}
        return {self.stage.paint: gr.skip()}

    def _changed(self, values: Values, request: gr.Request) -> Values:
        """Show what the pictures that are there now become, or say that what is shown is not of these."""
        run, pictures, line = self.stage.run(values), self.pictures, self.stage.status
        session, stage = session_of(request), self.stage
        shown = pictures.own(values[pictures.photo], values[pictures.style])
        painted = stage.painted(*shown)
        untouched = {
            **stage.untouched(*shown),
            **self.comparison.untouched(shown[0], painted),
            **self.film.nothing(),
        }
        if run is None:  # nor is the handle told so, in which a run may come to stand meanwhile
            return untouched
        with contextlib.suppress(InputError):
            given = (pictures.sent(values[pictures.photo], ""), pictures.sent(values[pictures.style], ""))
            self._changed_pictures.discard(session)
            if given == (run.pictures.photo, run.pictures.styles[0]):
                return {line: gr.skip() if run.under_way else ended(run)}
        if run.under_way:
            self._changed_pictures.add(session)
            return {line: gr.skip()}
        if painted:
            return {**untouched, **stage.nothing(values)}
        return {line: status.idle("You changed the pictures. Press Paint to use them.")}

    def _steer(self, values: Values) -> None:
        # A slider that is being typed into may hold anything for a moment.
        with contextlib.suppress(InputError):
            if (run := self.stage.run(values)) and run.under_way:
                run.wished = Settings(**self.knobs.read(values))


class _RunView:
    """What the page shows of one run, moment by moment.

    Each time all of it: what one of a generator's updates leaves out, Gradio takes out of the browser's copy
    of the value until it comes again, and a chart was seen to break over that.
    """

    def __init__(self, stage: Stage, chart: gr.LinePlot, run: Run, handle: Values) -> None:
        self.stage, self.chart, self.run = stage, chart, run
        self.state: Values = {**handle, chart: run.losses.table()}
        self.charted = -1.0

    def moment(self, update: Update | Waiting | None, *, changed: bool) -> Values:
        """Return the page after an update, or after none for a while.

        Args:
            changed: whether the page shows other pictures by now.
        """
        stage = self.stage
        if isinstance(update, Waiting):
            self.state[stage.status] = status.waiting(*update)
        elif update is not None:
            frame = update.frame
            self.state[stage.live] = update.picture
            if not frame.final:  # that it is ready is said when there can be a next one
                self.state[stage.status] = status.running(frame, _EARLIER if changed else "")
            if frame.final or frame.seconds - self.charted >= 1:
                self.charted = frame.seconds
                self.state[self.chart] = self.run.losses.table()
        return self.state

    def ended(self) -> Values:
        """Return the page of a run that has ended."""
        stage, run = self.stage, self.run
        kept = run.folder.kept()
        if kept:
            self.state[stage.live] = kept[-1].path
        self.state[self.chart] = run.losses.table()
        self.state[stage.status] = ended(run)
        # In one message: a press that follows what is read is a press of Paint.
        self.state[stage.paint] = freed(SPOKEN.get(run.state, "") if kept else "")
        return self.state


def ended(run: Run) -> str:
    """Return the status line of a run that has ended."""
    kept = run.folder.kept()
    if run.message:
        tell = status.idle if run.state == "interrupted" else status.failed
        return tell(f"{run.message} {_further(run)}" if kept else run.message)
    if isinstance(run.latest, Update):
        return status.finished(run.latest.frame, run.stopped)
    if kept:
        return status.idle(f"Step {kept[-1].iteration}. Press Continue to go on from here.")
    return status.idle("Stopped before it began. Press Paint to start.")


def _further(run: Run) -> str:
    """Return what can be done about a run that was interrupted."""
    return f"Press Continue to go on from step {run.folder.kept()[-1].iteration}."
