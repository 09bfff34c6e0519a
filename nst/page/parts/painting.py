"""Paint, Stop, Continue: a visitor's run, and what is shown of it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import gradio as gr
from gradio.blocks import Block

from nst.errors import InputError
from nst.gradio_faults.events import message
from nst.guard.clients import client_of, session_of
from nst.page import status
from nst.page.components import freed, served
from nst.page.gallery import finished
from nst.page.parts import LONG, QUIET, Values
from nst.page.parts.knobs import Knobs
from nst.page.parts.pictures import PictureInputs
from nst.page.parts.returning import Returning
from nst.page.parts.stage import Stage
from nst.runs.run import Run, Waiting
from nst.runs.stream import Update, canvas_of
from nst.settings import Settings

# What a screen reader is told of a run that has ended.
_SPOKEN = {"finished": "Your painting is ready.", "stopped": "Stopped."}
_OTHER_PHOTO = "Continue needs the photo it began with. Press Paint to start a new painting."
_EARLIER = "It uses the earlier pictures. Stop and press Paint to use the new ones."
# By the browser alone.
_BUSY = f"() => ['busy', null, {json.dumps(status.idle('Starting…'))}]"
_FREED = "() => ({ state: 'ready', id: '', spoken: '' })"


class RunController:
    """Begins, stops and steers the runs of the page's visitors, and shows them.

    Args:
        tell_forecast: has the forecast told anew after an event: a run shows how fast this host is.
    """

    def __init__(
        self,
        stage: Stage,
        pictures: PictureInputs,
        knobs: Knobs,
        tell_forecast: Callable[[Any], Any],
        returning: Returning,
    ) -> None:
        self.stage, self.pictures, self.knobs = stage, pictures, knobs
        self._showing: dict[str, _RunView] = {}  # by page: whose event may write on its canvas
        given: set[Block] = {stage.handle, *pictures.all, *knobs.all}
        # Gradio builds each output anew at every frame, told or not; what ends a run comes after it.
        shown = [stage.handle, stage.live, stage.so_far, stage.status, stage.chart, stage.paint]
        ended = [stage.actions, stage.live, stage.comparison, stage.strip, returning.row]
        # Each event is heard, also one that follows an end before Gradio has noted it.
        heard: dict[str, Any] = {"trigger_mode": "multiple"}
        long: dict[str, Any] = {**LONG, "show_progress_on": stage.status}

        async def released(values: Values) -> Values:
            run = stage.run(values)
            if run is None or run.under_way:  # of another event
                return returning.row_of(values)
            return {**await stage.released(run), **returning.row_of(values)}

        def size(event: gr.EventData) -> Any:
            return message(event).get("size", gr.skip())

        shows = [returning.brought.then(self._follow, {stage.handle}, shown, **long)]
        for begun in (stage.paint.submit, stage.actions.submit, stage.actions.select):
            # At once, and before anything that the server may say.
            begun(None, None, [stage.paint, stage.actions, stage.status], js=_BUSY, **QUIET)
            shows.append(begun(self._begin, given, shown, **heard, **long))
        for event in shows:
            event.failure(None, None, stage.paint, js=_FREED, **QUIET)
            told = tell_forecast(event.then(released, {stage.handle}, ended, **QUIET))
            told.then(stage.make_film, {stage.handle}, [stage.film, stage.film_line], **LONG)
        # What the next run would be, a link too, is of the size that is shown.
        stage.actions.select(size, None, knobs.components["size"], **QUIET)
        cards = [pictures.photo, pictures.style]
        changes = [card.change for card in cards]
        gr.on(changes, self._changed, {stage.handle, *cards}, stage.all, **heard, **QUIET)
        stage.paint.stop(self._stop, {stage.handle}, stage.paint, **QUIET)
        moves = [knob.change for knob in knobs.live]
        gr.on(moves, self._steer, {stage.handle, *knobs.live}, **heard, **QUIET)

    async def _begin(
        self, values: Values, event: gr.EventData, request: gr.Request
    ) -> AsyncGenerator[Values, None]:
        """Paint for a visitor: from the start, or from the frame that is shown on, maybe at another size."""
        stage, client = self.stage, client_of(request)
        kept = stage.chosen(values) if event.target is stage.actions else None
        if kept and "size" in message(event):
            values = {**values, self.knobs.components["size"]: message(event)["size"]}
        try:
            settings = self.knobs.settings(values)
            earlier = stage.earlier(values) if kept and kept.of_clip else []
            canvas = canvas_of(kept) if kept and not kept.of_clip else None
            drawings = self.pictures.drawings(values)
            pictures = await self.pictures.read(values, drawings, client, canvas)
            if kept and (run := stage.run(values)) and run.pictures.photo != pictures.photo:
                raise InputError(_OTHER_PHOTO)
            run = await stage.runs.begin(
                stage.owner(values), client, pictures, settings, drawings=drawings, earlier=earlier
            )
        except InputError as error:
            yield {stage.status: status.failed(str(error)), stage.paint: freed()}
            return
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
        stage, session = self.stage, session_of(request)
        self._showing[session] = view = _RunView(stage, run, stage.showing(values, run))
        try:
            yield view.state
            async with aclosing(run.follow(session)) as updates:
                async for update in updates:
                    if self._showing.get(session) is not view:
                        return
                    yield view.moment(update)
            if stage.runs.find(run.owner, run.id) is not None:  # it may have been deleted meanwhile
                yield view.ended()
            else:
                yield {stage.paint: freed()}
        finally:
            if self._showing.get(session) is view:
                del self._showing[session]

    def _stop(self, values: Values) -> Any:
        run = self.stage.run(values)
        if run is None or not run.under_way:  # the button asks again, should it only be about to begin
            return "missed"
        run.stop.set()
        return gr.skip()  # the answer may come after the end was told, and must not take that back

    def _changed(self, values: Values, request: gr.Request) -> Values:
        """Show what the pictures that are there now become, or say that what is shown is not of these."""
        stage, pictures = self.stage, self.pictures
        run, shown = stage.run(values), pictures.own(values)
        if run is None:  # nor is the handle told so, in which a run may come to stand meanwhile
            return stage.untouched(*shown)
        is_of_these = False
        with contextlib.suppress(InputError):
            given = (pictures.sent(values[pictures.photo], ""), pictures.sent(values[pictures.style], ""))
            is_of_these = given == (run.pictures.photo, run.pictures.styles[0])
        if run.under_way:
            if view := self._showing.get(session_of(request)):
                view.is_of_earlier = not is_of_these
            return {stage.status: gr.skip()}
        if is_of_these:
            return {stage.status: _ended(run)}
        if finished(*shown):
            return {**stage.untouched(*shown), **stage.nothing(values)}
        return {stage.status: status.idle("You changed the pictures. Press Paint to use them.")}

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

    def __init__(self, stage: Stage, run: Run, handle: Values) -> None:
        self.stage, self.run = stage, run
        self.state: Values = {**handle, stage.chart: run.losses.table(), stage.so_far: None}
        self.charted = -1.0  # the second of the run at which the chart was drawn
        self.is_of_earlier = False  # pictures than the page shows by now

    def moment(self, update: Update | Waiting | None) -> Values:
        """Return the page after an update, or after none for a while."""
        stage, run = self.stage, self.run
        if isinstance(update, Waiting):
            self.state[stage.status] = status.waiting(*update)
        elif update is not None:
            frame = update.frame
            self.state[stage.live] = served(update.picture)
            if not frame.final:  # that it is ready is said when there can be a next one
                remark = _EARLIER if self.is_of_earlier else ""
                self.state[stage.status] = status.running(frame, remark, run.step)
            if run.folder.so_far:
                self.state[stage.so_far] = served(run.folder.so_far)
            if frame.seconds - self.charted >= 1:
                self.charted = frame.seconds
                self.state[stage.chart] = self.run.losses.table()
        return self.state

    def ended(self) -> Values:
        """Return the page of a run that has ended."""
        stage, run = self.stage, self.run
        kept = run.folder.kept()
        if kept:
            self.state[stage.live] = served(kept[-1].path)
        self.state[stage.so_far] = None  # the canvas shows all of it
        self.state[stage.chart] = run.losses.table()
        self.state[stage.status] = _ended(run)
        # In one message: a press that follows what is read is a press of Paint.
        self.state[stage.paint] = freed(_SPOKEN.get(run.state, "") if kept else "")
        return self.state


def _ended(run: Run) -> str:
    """Return the status line of a run that has ended."""
    kept = run.folder.kept()
    if run.message:
        tell = status.idle if run.state == "interrupted" else status.failed
        further = f" Press Continue to go on from {run.step} {kept[-1].iteration}." if kept else ""
        return tell(run.message + further)
    if isinstance(run.latest, Update):
        return status.finished(run.latest.frame, run.stop.is_set(), run.step)
    if kept:
        return status.idle(f"{run.step.title()} {kept[-1].iteration}. Press Continue to go on from here.")
    return status.idle("Stopped before it began. Press Paint to start.")
