"""Paint, Stop, Continue: a visitor's run, and what is shown of it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import gradio as gr
from gradio.blocks import Block

from nst.errors import InputError
from nst.settings import Settings
from nst.ui import status
from nst.ui.chart import LossLog
from nst.ui.parts import LONG, QUIET, Values
from nst.ui.parts.comparison import Comparison
from nst.ui.parts.forecast import ForecastLine
from nst.ui.parts.knobs import Knobs
from nst.ui.parts.pictures import PictureInputs
from nst.ui.parts.stage import Stage
from nst.ui.runs.history import History
from nst.ui.runs.run import Waiting, run
from nst.ui.runs.stream import Update, canvas_of
from nst.ui.runs.wishes import Wish, Wishes
from nst.ui.service import Service
from nst.ui.static import script
from nst.ui.web.visitors import session_of, visitor_of


class Painting:
    """The runs of the page's visitors.

    Args:
        service: of this host.
        pictures: what is painted from.
        knobs: how.
        stage: where it is shown.
        chart: where its losses are.
    """

    def __init__(
        self, service: Service, pictures: PictureInputs, knobs: Knobs, stage: Stage, chart: gr.LinePlot
    ) -> None:
        self.service, self.pictures, self.knobs = service, pictures, knobs
        self.stage, self.chart = stage, chart
        self.wishes = Wishes()

    def listen(self, demo: gr.Blocks, comparison: Comparison, forecast: ForecastLine) -> None:
        """Begin, stop and steer runs.

        Args:
            demo: the page.
            comparison: shows a finished run too.
            forecast: is told anew after a run, which has shown how fast this host is.
        """
        stage = self.stage
        given: set[Block] = {stage.history, *self.pictures.all, *self.knobs.all}
        # Gradio builds each output anew at every frame, told or not; what ends a run comes after it.
        shown = [stage.live, stage.status, stage.badge, self.chart, stage.history]

        def released(values: Values) -> Values:
            history: History = values[stage.history]
            return {**stage.released(history), **comparison.showing(history)}

        for button, work in ((stage.paint, self._paint), (stage.carry_on, self._carry_on)):
            # By the browser alone: at once, and before anything that the server may say.
            button.click(None, None, stage.buttons, js=script("busy"), **QUIET)
            painted = button.click(work, given, shown, show_progress_on=stage.status, **LONG)
            painted.then(
                released,
                {stage.history},
                [*stage.buttons, stage.live, comparison.slider, stage.strip],
                **QUIET,
            ).then(forecast.tell, forecast.inputs, forecast.line, **QUIET)
        stage.stop.click(self._stop, None, stage.stop, **QUIET)
        gr.on(
            [knob.change for knob in self.knobs.live],
            self._steer,
            set(self.knobs.live),
            trigger_mode="multiple",
            **QUIET,
        )
        demo.unload(self._leave)

    async def _paint(self, values: Values, request: gr.Request) -> AsyncGenerator[Values, None]:
        async with aclosing(self._run(values, request, History())) as shown:
            async for each in shown:
                yield each

    async def _carry_on(self, values: Values, request: gr.Request) -> AsyncGenerator[Values, None]:
        async with aclosing(self._run(values, request, values[self.stage.history])) as shown:
            async for each in shown:
                yield each

    async def _run(
        self, values: Values, request: gr.Request, history: History
    ) -> AsyncGenerator[Values, None]:
        """Paint for a visitor, from the start or from the chosen frame of a history on."""
        stage, session, visitor = self.stage, session_of(request), visitor_of(request)
        wish = self.wishes.begin(session)
        show = _Shower(stage, self.chart, wish)
        painted = False
        try:
            settings = self.knobs.settings(values)
            canvas = None if history.chosen is None else canvas_of(history.chosen)
            pictures = await self.pictures.read(values, visitor, canvas)
            updates = run(
                self.service,
                visitor,
                session,
                pictures,
                settings,
                wish.stop.is_set,
                lambda: wish.settings,
            )
            async with aclosing(updates):
                async for update in updates:
                    if isinstance(update, Waiting):
                        yield {stage.status: status.waiting(*update)}
                    else:
                        painted = True
                        yield show.update(update)
            if not painted:
                yield {stage.status: status.idle("Stopped before it began; press Paint to begin.")}
        except InputError as error:
            yield {stage.status: status.failed(str(error))}
        finally:
            self.wishes.end(session)

    def _stop(self, request: gr.Request) -> Any:
        self.wishes.stop(session_of(request))
        return gr.Button("Stopping", interactive=False)

    def _steer(self, values: Values, request: gr.Request) -> None:
        # A slider that is being typed into may hold anything for a moment.
        with contextlib.suppress(InputError):
            self.wishes.steer(session_of(request), Settings(**self.knobs.read(values)))

    def _leave(self, request: gr.Request) -> None:
        self.wishes.stop(session_of(request))
        self.wishes.end(session_of(request))


class _Shower:
    """What the page shows of one run, update by update."""

    def __init__(self, stage: Stage, chart: gr.LinePlot, wish: Wish) -> None:
        self.stage, self.chart, self.wish = stage, chart, wish
        self.losses, self.charted = LossLog(), -1.0

    def update(self, update: Update) -> Values:
        """Return what changes on the page."""
        frame, stage = update.frame, self.stage
        self.losses.add(frame)
        shown: Values = {stage.live: update.picture}
        if frame.final:
            shown[stage.status] = status.finished(frame, self.wish.stop.is_set())
            shown[stage.history] = History.of(update)
        else:
            shown[stage.status] = status.running(frame)
        if frame.final or frame.seconds - self.charted >= 1:
            self.charted = frame.seconds
            shown[self.chart] = self.losses.table()
            shown[stage.badge] = status.boxed(status.badge(frame))
        return shown
