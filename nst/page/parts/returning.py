"""A visitor who comes back: the run that this page showed, and recent paintings."""

from __future__ import annotations

import base64
from itertools import zip_longest
from typing import Any

import gradio as gr
from gradio.blocks import Block

from nst.gradio_faults.events import message
from nst.page import status
from nst.page.components import freed
from nst.page.parts import QUIET, Values
from nst.page.parts.knobs import Knobs
from nst.page.parts.pictures import PictureInputs
from nst.page.parts.stage import Stage
from nst.runs.run import Run
from nst.runs.stream import EXPIRED


def add_returning(stage: Stage, pictures: PictureInputs, knobs: Knobs) -> Any:
    """Put recent paintings here; return the event that brings one back, or the run that this page showed."""
    stage.row.render()
    runs = stage.runs

    def bring(values: Values, event: gr.EventData) -> Values:
        owner, wanted = stage.owner(values), message(event).get("id")
        runs.restore(owner, wanted)
        run = runs.find(owner, wanted) if wanted else stage.run(values)
        missing = run is None and bool(wanted or stage.handle_of(values).get("run"))
        # A page that is opened anew shows what another one has lost, and leaves to the others what they show.
        run = run or (None if wanted else runs.unattended(owner))
        shown: Values = {**stage.paintings(values), **stage.showing(values, run)}
        if run is not None:
            shown |= {**_inputs(run, pictures), **knobs.moved(run.settings.public())}
            shown |= {stage.paint: "busy", stage.actions: None}
            shown[stage.status] = status.line("Your painting is back.")
        elif missing:
            shown[stage.status] = status.line(EXPIRED)
        return shown

    async def delete(values: Values, event: gr.EventData) -> Values:
        run, shown = runs.find(stage.owner(values), message(event).get("id")), stage.run(values)
        if run is None:
            return stage.paintings(values)
        was_under_way = run.under_way
        runs.delete(run)
        changed = stage.paintings(values, run)
        if run is shown:
            changed |= {
                **stage.untouched(**pictures.own(values)),
                **stage.nothing(values),
                stage.status: status.line("Painting deleted. Press Undo below to bring it back."),
            }
            if not was_under_way:
                changed[stage.paint] = freed()
        return changed

    given: set[Block] = {stage.handle, pictures.photo, pictures.style}
    stage.row.delete(delete, given, [*stage.all, stage.paint, stage.row], **QUIET)
    restored = [stage.handle, stage.status, stage.paint, stage.actions, stage.row]
    outputs = [*restored, *pictures.all, *knobs.all]
    return gr.on([stage.handle.submit, stage.row.select], bring, {stage.handle}, outputs, **QUIET)


def _inputs(run: Run, pictures: PictureInputs) -> Values:
    """Return the pictures as they were for a run."""
    given = run.pictures
    places: Values = dict(zip_longest(pictures.named.values(), (given.photo, *given.styles)))
    places[pictures.start] = given.start
    shown: Values = {
        place: str(sent.preview) if sent is not None and sent.path.exists() else None
        for place, sent in places.items()
    }
    for over, brush in pictures.brushes.items():
        drawn = base64.b64encode(run.drawings.get(over, b"")).decode()
        shown[brush] = f"data:image/png;base64,{drawn}" if drawn else None
    return shown
