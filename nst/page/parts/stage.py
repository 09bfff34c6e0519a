"""What shows a run: the canvas with its buttons and frames, before and after, time-lapse and chart."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
from anyio import to_thread
from gradio.blocks import Block

from nst.errors import InputError
from nst.guard.clients import client_of
from nst.guard.service import Service
from nst.page import status
from nst.page.components import element, freed, picked, served
from nst.page.gallery import finished, finished_file, photos, styles
from nst.page.parts import QUIET, Values
from nst.page.static import on_load
from nst.runs.registry import owner_of
from nst.runs.run import Run
from nst.runs.storage import RUNS_EACH, SavedFrame
from nst.runs.stream import film

_EXAMPLE = "This is an example. Press Paint to watch it happen, or add your own photo."
_NO_FILM = {"text": "The time-lapse appears here when a painting is finished."}
# The sizes that a finished painting can go on to: longest sides in pixels, and how many of them are offered.
_SIZES = (768, 1024, 1536, 2048, 3072, 4096)
_OFFERED = 3
# Of a run that is not finished; all other states are called "Failed".
_STATES = {"waiting": "Waiting", "painting": "Painting", "stopped": "Stopped", "left": "Stopped"}


class Stage:
    """The components that show a run; `layout.py` says where each stands."""

    def __init__(self, service: Service) -> None:
        self.service, self.runs = service, service.runs
        example = finished_file(photos()[0], styles()[0])
        # Paint, and Stop while a run is on: `submit` begins one, `stop` ends it. Its value: "busy",
        # "stopping", "missed" for a stop that found no run, or what `freed` returns. It is one button: one
        # that goes takes the keyboard's focus with it.
        self.paint = element("go", "paintButton", value=freed(), render=False)
        # Which run the page shows; its `submit` asks for that run after a reload. Its value: "key", made and
        # kept by the visitor's browser, which proves whose runs are asked for; "run", its id; "chosen", the
        # step of the frame that is shown of it.
        self.handle = gr.HTML(html_template="", js_on_load=on_load("runHandle"), elem_id="run", render=False)
        # The picture, by `served`. On a slow line a plain image would drop the load in flight at every
        # update, and never show anything.
        self.live = element("live", "livePreview", value=served(example), render=False)
        # What is finished of a clip, playing; by `served`, of a picture that moves.
        self.so_far = element("so_far", elem_id="so-far", render=False)
        self.status = gr.HTML(status.line(_EXAMPLE), elem_id="status", render=False)
        # What can be done with a picture: `submit` goes on, `select` larger. Its value: see `_result`.
        self.actions = element("actions", "actions", render=False)
        # The frames; a click tells the `index`. Its value: "file" and "name" of each.
        self.strip = element("history", "select", value=[], elem_classes="strip", render=False)
        # Recent paintings, each to be opened (`select`) or deleted (`delete`) by its `id`. Its value: "id",
        # "file" and "name" of each, and "deleted" of one that may come back.
        self.row = element("paintings", "paintings", value=[], render=False)
        # Two pictures of one size with a slider between them; Gradio's own takes no key.
        compared = _compared(photos()[0], example)
        self.comparison = element("compare", "beforeAfter", value=compared, render=False)
        # Its value: the files "mp4" and "webp", and "name" of both where they are saved, without an ending;
        # or a "text" in their place.
        self.film = element("film", value=_NO_FILM, render=False)
        # `nst.runs.run.LossLog` makes its table.
        self.chart = gr.LinePlot(
            x="step",
            y="log10",
            color="term",
            x_title="Step",
            y_title="Loss (log10)",
            color_title="Term",
            height=320,
            show_label=False,
            buttons=[],
            elem_id="loss",
            render=False,
        )
        self.strip.select(
            self._choose, {self.handle}, [self.live, self.status, self.actions, self.handle], **QUIET
        )
        canvas = (self.handle, self.live, self.so_far, self.status, self.actions, self.strip)
        self.canvas: tuple[Block, ...] = canvas
        # What `untouched` and `nothing` change.
        self.all: list[Block] = [*self.canvas, self.comparison, self.film]

    # Which run

    def owner(self, values: Values) -> str:
        """Return what stands for the visitor's key, "" where the browser has none."""
        return owner_of(self.handle_of(values).get("key"))

    def run(self, values: Values) -> Run | None:
        return self.runs.find(self.owner(values), self.handle_of(values).get("run"))

    def chosen(self, values: Values) -> SavedFrame | None:
        """Return the frame that the page shows, the newest one if none was chosen."""
        run = self.run(values)
        kept = run.folder.kept() if run else []
        wanted = self.handle_of(values).get("chosen")
        return next((one for one in reversed(kept) if one.iteration == wanted), kept[-1] if kept else None)

    def showing(self, values: Values, run: Run | None, chosen: SavedFrame | None = None) -> Values:
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

    def nothing(self, values: Values) -> Values:
        return {**self.showing(values, None), self.actions: None, self.strip: []}

    def untouched(self, photo: str | None, style: str | None) -> Values:
        """Return the canvas before anything was painted here: what two examples become, or else the photo."""
        shown: Values = {self.comparison: None, self.film: _NO_FILM, self.so_far: None}
        if photo and (file := finished(photo, style)):
            shown[self.comparison] = _compared(photo, file)
            return {**shown, self.live: served(file), self.status: status.line(_EXAMPLE)}
        missing = [name for name, path in (("a photo", photo), ("a style picture", style)) if path is None]
        advice = f"Add {' and '.join(missing)}." if missing else "Press Paint to watch it happen."
        return {**shown, self.live: served(photo) if photo else gr.skip(), self.status: status.line(advice)}

    def paintings(self, values: Values, deleted: Run | None = None) -> Values:
        """Return what shows the paintings that are there by now, and one that may still come back."""
        shown = [{"id": deleted.id, "deleted": True}] if deleted else []
        for run in self.runs.of(self.owner(values))[:RUNS_EACH]:
            kept = run.folder.kept()
            name = f"{max(kept[-1].size)} px" if run.state == "finished" else _STATES.get(run.state, "Failed")
            shown.append({"id": run.id, "file": served(kept[-1].path) if kept else None, "name": name})
        return {self.row: shown}

    async def released(self, values: Values) -> Values:
        """Return what shows a run's end, and what can be done with it."""
        run, shown = self.run(values), self.paintings(values)
        kept = run.folder.kept() if run else []
        if run is None or run.under_way or not kept:  # under way is one of another event
            return shown
        folder = run.folder
        shown |= {
            self.actions: await self._result(run, kept[-1]),
            # The last frame once more, in a message of its own, should the stream have lost it at its end.
            self.live: served(kept[-1].path),
            self.strip: [{"file": served(one.path), "name": one.name} for one in folder.shown()],
        }
        if folder.finished:
            shown[self.comparison] = _compared(folder.before, folder.finished.path)
        return shown

    async def make_film(self, values: Values, request: gr.Request) -> dict[str, Any]:
        """Return the film of the run that the page shows, once there is nothing more to come."""
        run = self.run(values)
        if run is None or run.under_way or not run.folder.kept():
            return _NO_FILM
        try:
            async with self.service.side_work.place(client_of(request)):
                mp4, webp = await to_thread.run_sync(film, run.folder)
        except InputError as error:
            return {"text": str(error)}
        name = Path(run.file_name(run.folder.kept()[-1])).stem
        return {"mp4": served(mp4), "webp": served(webp), "name": name}

    async def _result(self, run: Run, kept: SavedFrame) -> dict[str, Any]:
        """Return the value of `actions` for a kept frame: "file", "name", "moves", "whole" and "larger".

        The name is what to save it as; it moves if it is a film, maybe of the whole clip; "larger" is "size"
        and "text", which tells the time, of each size that the finished one can go on to.
        """
        larger, is_last = [], kept == run.folder.finished
        moves = is_last and kept.of_clip
        file = run.folder.film[0] if moves and run.folder.film else kept.path
        sizes = [size for size in _SIZES if max(kept.size) < size <= self.service.limits.size]
        for size in sizes[:_OFFERED] if is_last and not moves else ():
            with contextlib.suppress(InputError):
                predicted = await self.service.painter.forecast(*kept.size, replace(run.settings, size=size))
                larger.append({"size": size, "text": status.larger(predicted)})
        return {
            "file": served(file),
            "name": Path(run.file_name(kept)).with_suffix(Path(file).suffix).name,
            "moves": moves,
            "whole": moves and run.state == "finished",  # there is nothing to go on with
            "larger": larger,
        }

    async def _choose(self, values: Values, event: gr.EventData) -> Values:
        """Show the kept frame that was clicked; Continue goes on from it."""
        run = self.run(values)
        shown = run.folder.shown() if run else []
        index = picked(event, len(shown))
        if run is None or index is None:
            return {self.live: gr.skip()}
        kept = shown[index]
        text = f"{run.step.title()} {kept.iteration}. Press Continue to go on from here."
        return {
            self.live: served(kept.path),
            self.status: status.line(text),
            self.actions: None if run.under_way else await self._result(run, kept),
            **self.showing(values, run, kept),
        }


def _compared(before: str | Path, after: str | Path) -> dict[str, Any]:
    return {"before": served(before), "after": served(after)}
