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
from nst.guard.clients import client_of
from nst.page import status
from nst.page.components import freed, served
from nst.page.gallery import finished
from nst.page.parts import LONG, QUIET, Values
from nst.page.parts.knobs import Knobs
from nst.page.parts.pictures import PictureInputs
from nst.page.parts.stage import Stage
from nst.painters.scheduler import Standing
from nst.runs.run import Run
from nst.runs.storage import SavedFrame
from nst.runs.stream import Update, canvas_of
from nst.settings import Settings

# What a screen reader is told of a run that has ended.
_SPOKEN = {"finished": "Your painting is ready.", "stopped": "Stopped."}
_OTHER_PHOTO = "Continue needs the photo it began with. Press Paint to start a new painting."
_EARLIER = "It uses the earlier pictures. Stop and press Paint to use the new ones."
# By the browser alone.
_BUSY = f"() => ['busy', null, {json.dumps(status.line('Starting…'))}]"
_FREED = "() => ({ state: 'ready', id: '', spoken: '' })"


class RunController:
    """Begins, stops and steers the runs of the page's visitors, and shows them."""

    def __init__(
        self,
        stage: Stage,
        pictures: PictureInputs,
        knobs: Knobs,
        tell_forecast: Callable[[Any], Any],  # anew after an event: a run shows how fast this host is
        brought: Any,  # the event that brings a run back
    ) -> None:
        self.stage, self.pictures, self.knobs = stage, pictures, knobs
        self._showing: dict[str, _RunView] = {}  # by page: whose event may write on its canvas
        given: set[Block] = {stage.handle, *pictures.all, *knobs.all}
        # Gradio builds each output anew at every frame, told or not; what ends a run comes after it.
        shown = [stage.handle, stage.live, stage.so_far, stage.status, stage.chart, stage.paint]
        ended = [stage.actions, stage.live, stage.comparison, stage.strip, stage.row]
        # Each event is heard, also one that follows an end before Gradio has noted it.
        heard: dict[str, Any] = {"trigger_mode": "multiple"}
        long: dict[str, Any] = {**LONG, "show_progress_on": stage.status}

        def size(event: gr.EventData) -> Any:
            return message(event).get("size", gr.skip())

        shows = [brought.then(self._show, {stage.handle}, shown, **long)]
        for begun in (stage.paint.submit, stage.actions.submit, stage.actions.select):
            # At once, and before anything that the server may say.
            begun(None, None, [stage.paint, stage.actions, stage.status], js=_BUSY, **QUIET)
            shows.append(begun(self._show, given, shown, **heard, **long))
        for event in shows:
            event.failure(None, None, stage.paint, js=_FREED, **QUIET)
            told = tell_forecast(event.then(stage.released, {stage.handle}, ended, **QUIET))
            told.then(stage.make_film, {stage.handle}, stage.film, **LONG)
        # What the next run would be, a link too, is of the size that is shown.
        stage.actions.select(size, None, knobs.components["size"], **QUIET)
        cards = [pictures.photo, pictures.style]
        changes = [card.change for card in cards]
        gr.on(changes, self._changed, {stage.handle, *cards}, stage.all, **heard, **QUIET)
        stage.paint.stop(self._stop, {stage.handle}, stage.paint, **QUIET)
        moves = [knob.change for knob in knobs.live]
        gr.on(moves, self._steer, {stage.handle, *knobs.live}, **heard, **QUIET)

    async def _show(
        self, values: Values, event: gr.EventData, request: gr.Request
    ) -> AsyncGenerator[Values, None]:
        """Yield what a page shows of its run, which `_begin` begins, until it has ended or shows another."""
        stage, session = self.stage, request.session_hash or ""
        try:
            # A page that comes back tells nothing but the run that it had.
            begins = self.pictures.photo in values
            run = await self._begin(values, event, client_of(request)) if begins else stage.run(values)
        except InputError as error:
            yield {stage.status: status.line(str(error), kind="failed"), stage.paint: freed()}
            return
        if run is None:
            yield {stage.status: gr.skip()}
            return
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

    async def _begin(self, values: Values, event: gr.EventData, client: str) -> Run:
        """Paint for a visitor: from the start, or from the frame that is shown on, maybe at another size."""
        stage = self.stage
        kept = stage.chosen(values) if event.target is stage.actions else None
        shown = stage.run(values) if kept else None
        if kept and "size" in message(event):
            values = {**values, self.knobs.components["size"]: message(event)["size"]}
        settings = self.knobs.limits.allowed(self.knobs.read(values))
        canvas = canvas_of(kept) if kept and not kept.of_clip else None
        pictures, drawings = await self.pictures.read(values, client, canvas)
        earlier: list[SavedFrame] = []
        if kept and shown:
            if shown.pictures.photo != pictures.photo:
                raise InputError(_OTHER_PHOTO)
            earlier = [one for one in shown.folder.frames if one.of_clip and one.iteration <= kept.iteration]
        return await stage.runs.begin(
            stage.owner(values), client, pictures, settings, drawings=drawings, earlier=earlier
        )

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
            return stage.untouched(**shown)
        is_of_these = False
        with contextlib.suppress(InputError):
            given = (pictures.sent(values[pictures.photo], ""), pictures.sent(values[pictures.style], ""))
            is_of_these = given == (run.pictures.photo, run.pictures.styles[0])
        if run.under_way:
            if view := self._showing.get(request.session_hash or ""):
                view.remark = "" if is_of_these else _EARLIER
            return {stage.status: gr.skip()}
        if is_of_these:
            return {stage.status: _ended(run)}
        if finished(**shown):
            return {**stage.untouched(**shown), **stage.nothing(values)}
        return {stage.status: status.line("You changed the pictures. Press Paint to use them.")}

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
        self.remark = ""

    def moment(self, update: Update | Standing | None) -> Values:
        stage, run, state = self.stage, self.run, self.state
        if isinstance(update, Standing):
            state[stage.status] = status.waiting(update.place, update.seconds)
        elif update is not None:
            frame = update.frame
            state[stage.live] = served(update.picture)
            if not frame.final:  # that it is ready is said when there can be a next one
                state[stage.status] = status.running(frame, self.remark, run.step)
            if run.folder.so_far:
                state[stage.so_far] = served(run.folder.so_far)
            if frame.seconds - self.charted >= 1:
                self.charted = frame.seconds
                state[stage.chart] = run.losses.table()
        return state

    def ended(self) -> Values:
        stage, run = self.stage, self.run
        kept = run.folder.kept()
        shown: Values = {stage.live: served(kept[-1].path)} if kept else {}
        return {
            **self.state,
            **shown,
            stage.so_far: None,  # the canvas shows all of it
            stage.chart: run.losses.table(),
            stage.status: _ended(run),
            # In one message: a press that follows what is read is a press of Paint.
            stage.paint: freed(_SPOKEN.get(run.state, "") if kept else ""),
        }


def _ended(run: Run) -> str:
    kept = run.folder.kept()
    if run.message:
        kind = "idle" if run.state == "interrupted" else "failed"
        further = f" Press Continue to go on from {run.step} {kept[-1].iteration}." if kept else ""
        return status.line(run.message + further, kind=kind)
    if isinstance(run.latest, Update):
        return status.finished(run.latest.frame, run.stop.is_set(), run.step)
    if kept:
        return status.line(f"{run.step.title()} {kept[-1].iteration}. Press Continue to go on from here.")
    return status.line("Stopped before it began. Press Paint to start.")
