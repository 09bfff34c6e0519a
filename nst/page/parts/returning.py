"""A visitor who comes back: the run that this page showed, and recent paintings."""

from __future__ import annotations

import base64
from itertools import zip_longest
from typing import Any

import gradio as gr
from gradio.blocks import Block

from nst.gradio_faults.events import message
from nst.page import status
from nst.page.components import element, freed, served
from nst.page.parts import QUIET, Values
from nst.page.parts.knobs import Knobs
from nst.page.parts.pictures import PictureInputs
from nst.page.parts.stage import Stage
from nst.runs.run import Run
from nst.runs.storage import RUNS_EACH
from nst.runs.stream import EXPIRED

# Of a run that is not finished; all other states are called "Failed".
_STATES = {"waiting": "Waiting", "painting": "Painting", "stopped": "Stopped", "left": "Stopped"}


class Returning:
    def __init__(self, stage: Stage, pictures: PictureInputs, knobs: Knobs) -> None:
        self.stage, self.runs, self.pictures, self.knobs = stage, stage.runs, pictures, knobs
        # Recent paintings, each to be opened (`select`) or deleted (`delete`) by its `id`. Its value: "id",
        # "file" and "name" of each, and "deleted" of one that may come back.
        self.row = element("paintings", "paintings", value=[])
        restored = [stage.handle, stage.status, stage.paint, stage.actions, self.row]
        asked, outputs = [stage.handle.submit, self.row.select], [*restored, *pictures.all, *knobs.all]
        self.brought = gr.on(asked, self._bring, {stage.handle}, outputs, **QUIET)
        shown: set[Block] = {stage.handle, pictures.photo, pictures.style}
        self.row.delete(self._delete, shown, [*stage.all, stage.paint, self.row], **QUIET)

    def row_of(self, values: Values, deleted: Run | None = None) -> Values:
        """Return what shows the paintings that are there by now, and one that may still come back."""
        mine = self.runs.of(self.stage.owner(values))[:RUNS_EACH]
        undo = [{"id": deleted.id, "deleted": True}] if deleted else []
        return {self.row: [*undo, *(_entry(run) for run in mine)]}

    def _bring(self, values: Values, event: gr.EventData) -> Values:
        """Show the run that was clicked, or the one that this page showed before it was loaded again."""
        stage, owner = self.stage, self.stage.owner(values)
        wanted = message(event).get("id")
        self.runs.restore(owner, wanted)
        run = self.runs.find(owner, wanted) if wanted else stage.run(values)
        missing = run is None and bool(wanted or stage.handle_of(values).get("run"))
        # A page that is opened anew shows what another one has lost, and leaves to the others what they show.
        run = run or (None if wanted else self.runs.unattended(owner))
        shown: Values = {**self.row_of(values), **stage.showing(values, run)}
        if run is not None:
            shown |= self._inputs(run)
            shown |= {stage.paint: "busy", stage.actions: None}
            shown[stage.status] = status.line("Your painting is back.")
        elif missing:
            shown[stage.status] = status.line(EXPIRED)
        return shown

    def _inputs(self, run: Run) -> Values:
        # Pictures and knobs as they were for a run.
        given, pictures = run.pictures, self.pictures
        places: Values = dict(zip_longest(pictures.named.values(), (given.photo, *given.styles)))
        places[pictures.start] = given.start
        shown: Values = {
            place: str(sent.preview) if sent is not None and sent.path.exists() else None
            for place, sent in places.items()
        }
        for over, brush in pictures.brushes.items():
            drawn = base64.b64encode(run.drawings.get(over, b"")).decode()
            shown[brush] = f"data:image/png;base64,{drawn}" if drawn else None
        return shown | self.knobs.moved(run.settings.public())

    async def _delete(self, values: Values, event: gr.EventData) -> Values:
        stage = self.stage
        run, shown = self.runs.find(stage.owner(values), message(event).get("id")), stage.run(values)
        if run is None:
            return self.row_of(values)
        was_under_way = run.under_way
        self.runs.delete(run)
        changed = self.row_of(values, run)
        if run is shown:
            changed |= {
                **stage.untouched(**self.pictures.own(values)),
                **stage.nothing(values),
                stage.status: status.line("Painting deleted. Press Undo below to bring it back."),
            }
            if not was_under_way:
                changed[stage.paint] = freed()
        return changed


def _entry(run: Run) -> dict[str, Any]:
    kept = run.folder.kept()
    name = f"{max(kept[-1].size)} px" if run.state == "finished" else _STATES.get(run.state, "Failed")
    return {"id": run.id, "file": served(kept[-1].path) if kept else None, "name": name}
