"""The canvas: the painting as it develops, what is said of it, and its kept frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import Block

from nst.guard.service import Service
from nst.page import status
from nst.page.components import (
    Actions,
    Filmstrip,
    LivePreview,
    PaintButton,
    Result,
    RunHandle,
    picked,
)
from nst.page.gallery import among, finished, finished_file, photos, styles
from nst.page.parts import QUIET, Values
from nst.page.parts.larger import larger_sizes
from nst.runs.registry import owner_of
from nst.runs.run import Run
from nst.runs.storage import SavedFrame

_EXAMPLE = "This is an example. Press Paint to watch it happen, or add your own photo."


class Stage:
    """The canvas with its buttons and its frames.

    Args:
        paint: the button that begins a run; it stands elsewhere.
    """

    def __init__(self, service: Service, paint: PaintButton) -> None:
        self.service, self.runs, self.paint = service, service.runs, paint
        self.handle = RunHandle(elem_id="run")
        example = finished()
        self.live = LivePreview(str(example) if example else None, elem_id="live")
        self.status = gr.HTML(status.idle(_EXAMPLE), elem_id="status")
        self.actions = Actions(elem_id="actions")
        self.strip = Filmstrip(elem_id="history", elem_classes="strip")
        self.strip.select(
            self._choose, {self.handle}, [self.live, self.status, self.actions, self.handle], **QUIET
        )

    @property
    def buttons(self) -> list[Any]:
        """What changes when a run begins and ends, in the order of `BUSY` in nst/page/parts/painting.py."""
        return [self.paint, self.actions]

    # Which run

    def owner(self, values: Values) -> str:
        """Return what stands for the visitor's key, "" where the browser has none."""
        return owner_of(self.handle_of(values).get("key"))

    def run(self, values: Values) -> Run | None:
        """Return the run that the page shows."""
        return self.runs.find(self.owner(values), self.handle_of(values).get("run"))

    def chosen(self, values: Values) -> SavedFrame | None:
        """Return the frame that the page shows, the newest one if none was chosen."""
        run = self.run(values)
        kept = run.folder.kept() if run else []
        wanted = self.handle_of(values).get("chosen")
        return next((one for one in kept if one.iteration == wanted), kept[-1] if kept else None)

    def showing(self, values: Values, run: Run | None, chosen: SavedFrame | None = None) -> Values:
        """Return what makes the page show another run, or another frame."""
        handle = {
            "key": self.handle_of(values).get("key"),
            "run": run.id if run else None,
            "chosen": chosen.iteration if chosen else None,
        }
        return {self.handle: handle}

    def handle_of(self, values: Values) -> dict[str, Any]:
        """Return what the browser says of key, run and frame, as far as it is anything of the kind."""
        handle = values[self.handle]
        return handle if isinstance(handle, dict) else {}

    # What is shown of it

    @property
    def of_run(self) -> list[Block]:
        """What shows a run besides the canvas and the status line."""
        return [self.handle, self.actions, self.strip]

    def nothing(self, values: Values) -> Values:
        """Return what shows that the page has no run."""
        return {**self.showing(values, None), self.actions: None, self.strip: []}

    def untouched(self, photo: str | None, style: str | None) -> Values:
        """Return the canvas before anything was painted here: what two examples become, or else the photo.

        Args:
            photo: path of what the page shows of it.
        """
        if file := self.painted(photo, style):
            return {self.live: str(file), self.status: status.idle(_EXAMPLE)}
        missing = [name for name, path in (("a photo", photo), ("a style picture", style)) if path is None]
        advice = f"Add {' and '.join(missing)}." if missing else "Press Paint to watch it happen."
        return {self.live: photo or gr.skip(), self.status: status.idle(advice)}

    def painted(self, photo: str | None, style: str | None) -> Path | None:
        """Return what these two become, where that is there without painting them."""
        pair = among(photos(), photo), among(styles(), style)
        file = finished_file(pair[0], pair[1]) if pair[0] and pair[1] else None
        return file if file and file.exists() else None

    def busy(self) -> Values:
        """Return the buttons as they are while a run is under way."""
        return {self.paint: "busy", self.actions: None}

    async def released(self, run: Run | None) -> Values:
        """Return what shows a run's end, if there was one, and what can be done with it."""
        kept = run.folder.kept() if run else []
        if run is None or not kept:
            return {self.live: gr.skip()}
        return {
            self.actions: await self._result(run, kept[-1]),
            # The last frame once more, in a message of its own, should the stream have lost it at its end.
            self.live: kept[-1].path,
            self.strip: self._row(run),
        }

    def _row(self, run: Run | None) -> list[tuple[str, str]]:
        return [(kept.path, kept.name) for kept in run.folder.shown()] if run else []

    async def _result(self, run: Run, kept: SavedFrame) -> Result:
        """Return a kept frame as what something can be done with; the finished one can go on larger."""
        larger = await larger_sizes(self.service, run) if kept == run.folder.finished else []
        return Result(kept.path, run.file_name(kept), larger)

    async def _choose(self, values: Values, event: gr.EventData) -> Values:
        """Show the kept frame that was clicked; Continue goes on from it."""
        run = self.run(values)
        shown = run.folder.shown() if run else []
        index = picked(event, len(shown))
        if run is None or index is None:
            return {self.live: gr.skip()}
        kept = shown[index]
        return {
            self.live: kept.path,
            self.status: status.idle(f"Step {kept.iteration}. Press Continue to go on from here."),
            self.actions: None if run.under_way else await self._result(run, kept),
            **self.showing(values, run, kept),
        }
