"""A visitor who comes back: the run that this page showed, and recent paintings."""

from __future__ import annotations

import base64
from typing import Any

import gradio as gr

from nst.gradio_faults.events import message
from nst.page import status
from nst.page.components import History, freed
from nst.page.parts import QUIET, Values
from nst.page.parts.comparison import Comparison
from nst.page.parts.film import TimeLapse
from nst.page.parts.knobs import Knobs
from nst.page.parts.pictures import PictureInputs
from nst.page.parts.stage import Stage
from nst.runs.registry import Registry
from nst.runs.run import Run
from nst.runs.storage import RUNS_EACH

_STATES = {
    "waiting": "Waiting",
    "painting": "Painting",
    "stopped": "Stopped",
    "left": "Stopped",
    "failed": "Failed",
    "refused": "Failed",
    "interrupted": "Failed",
}


class Returning:
    """Brings runs back to the page, and removes them."""

    def __init__(self, runs: Registry, stage: Stage) -> None:
        self.runs, self.stage = runs, stage
        self.row = History(elem_id="paintings")

    def listen(self, pictures: PictureInputs, knobs: Knobs, comparison: Comparison, film: TimeLapse) -> None:
        """Begin to bring runs back.

        Args:
            comparison: shows nothing of a run that was deleted.
        """
        self.pictures, self.knobs, self.comparison, self.film = pictures, knobs, comparison, film
        stage = self.stage
        restored = [stage.handle, stage.status, *stage.buttons, self.row, *pictures.all, *knobs.all]
        self.brought = gr.on(
            [stage.handle.submit, self.row.select], self._bring, {stage.handle}, restored, **QUIET
        )
        gone = [stage.live, stage.status, stage.paint, *stage.of_run, self.row]
        gone += [comparison.slider, *film.shown]
        self.row.delete(self._delete, {stage.handle, pictures.photo, pictures.style}, gone, **QUIET)

    def row_of(self, values: Values, deleted: Run | None = None) -> Values:
        """Return what shows the paintings that are there by now, and one that may still come back."""
        mine = self.runs.of(self.stage.owner(values))[:RUNS_EACH]
        undo = [(deleted.id, None, "", True)] if deleted else []
        return {self.row: [*undo, *(self._entry(run) for run in mine)]}

    def _entry(self, run: Run) -> tuple[str, str | None, str, bool]:
        kept = run.folder.kept()
        name = _STATES.get(run.state) or f"{max(kept[-1].size)} px"
        return run.id, kept[-1].path if kept else None, name, False

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
            shown |= {**stage.busy(), **self._inputs(run)}
            shown[stage.status] = status.idle("Your painting is back.")
        elif missing:
            shown[stage.status] = status.idle("This painting has expired. Press Paint to make it again.")
        return shown

    def _inputs(self, run: Run) -> Values:
        """Return pictures and knobs as they were for a run."""
        given, pictures = run.pictures, self.pictures
        styles = [*given.styles, *[None] * (1 + len(pictures.others) - len(given.styles))]
        places: Values = {pictures.photo: given.photo, pictures.start: given.start}
        places |= dict(zip((pictures.style, *pictures.others), styles, strict=True))
        shown: Values = {
            place: str(sent.preview) if sent is not None and sent.path.exists() else None
            for place, sent in places.items()
        }
        for over, brush in pictures.brushes.items():
            drawn = base64.b64encode(run.drawings.get(over, b"")).decode()
            shown[brush] = f"data:image/png;base64,{drawn}" if drawn else None
        settings: dict[str, Any] = run.settings.public()
        return shown | self.knobs.moved(settings)

    async def _delete(self, values: Values, event: gr.EventData) -> Values:
        """Remove a painting and all that was made for it."""
        stage = self.stage
        run, shown = self.runs.find(stage.owner(values), message(event).get("id")), stage.run(values)
        if run is None:
            return self.row_of(values)
        was_under_way = run.under_way
        self.runs.delete(run)
        changed = self.row_of(values, run)
        if run is shown:
            photo, style = values[self.pictures.photo], values[self.pictures.style]
            left = self.pictures.own(photo, style)
            changed |= {
                **stage.untouched(*left),
                **stage.nothing(values),
                stage.status: status.idle("Painting deleted. Press Undo below to bring it back."),
                **self.comparison.untouched(left[0], stage.painted(*left)),
                **self.film.nothing(),
            }
            if not was_under_way:
                changed[stage.paint] = freed()
        return changed
