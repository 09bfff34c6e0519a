"""What shows a run: the canvas with its buttons and frames, before and after, time-lapse and chart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from anyio import to_thread
from gradio.blocks import Block

from nst.errors import InputError
from nst.guard.clients import client_of
from nst.guard.service import Service
from nst.page import status
from nst.page.components import (
    Actions,
    BeforeAfter,
    Film,
    Filmstrip,
    LivePreview,
    PaintButton,
    RunHandle,
    SoFar,
    picked,
    served,
)
from nst.page.gallery import among, finished, photos, styles
from nst.page.parts import QUIET, Values
from nst.page.parts.larger import larger_sizes
from nst.runs.registry import owner_of
from nst.runs.run import Run
from nst.runs.storage import SavedFrame
from nst.runs.stream import film

_EXAMPLE = "This is an example. Press Paint to watch it happen, or add your own photo."
_NO_FILM = "The time-lapse appears here when a painting is finished."


class Stage:
    """The components that show a run; `layout.py` says where each stands."""

    def __init__(self, service: Service) -> None:
        self.service, self.runs = service, service.runs
        example = finished(photos()[0], styles()[0])
        self.paint = PaintButton(elem_id="go", render=False)
        self.handle = RunHandle(elem_id="run", render=False)
        self.live = LivePreview(served(example) if example else None, elem_id="live", render=False)
        self.so_far = SoFar(elem_id="so-far", render=False)
        self.status = gr.HTML(status.idle(_EXAMPLE), elem_id="status", render=False)
        self.actions = Actions(elem_id="actions", render=False)
        self.strip = Filmstrip(elem_id="history", elem_classes="strip", render=False)
        before_after = _compared(photos()[0].path, example) if example else None
        self.comparison = BeforeAfter(before_after, elem_id="compare", render=False)
        self.film_line = gr.HTML(status.remark(_NO_FILM), elem_id="filmed", render=False)
        self.film = Film(elem_id="film", render=False)
        # `nst.runs.loss_log.LossLog` makes its table.
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

    def add_canvas(self) -> None:
        """Put the canvas here, with its buttons and its frames."""
        for component in (self.handle, self.live, self.so_far, self.status, self.actions, self.strip):
            component.render()

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

    def earlier(self, values: Values) -> list[SavedFrame]:
        """Return the frames of a clip up to the one that the page shows."""
        run, chosen = self.run(values), self.chosen(values)
        frames = run.folder.frames if run else []
        return [one for one in frames if chosen and one.iteration <= chosen.iteration]

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
    def all(self) -> list[Block]:
        """What `untouched` and `nothing` change."""
        return [
            *(self.handle, self.live, self.so_far, self.status, self.actions, self.strip),
            *(self.comparison, self.film, self.film_line),
        ]

    def nothing(self, values: Values) -> Values:
        """Return what shows that the page has no run."""
        return {**self.showing(values, None), self.actions: None, self.strip: [], self.so_far: None}

    def untouched(self, photo: str | None, style: str | None) -> Values:
        """Return the canvas before anything was painted here: what two examples become, or else the photo.

        Args:
            photo: path of what the page shows of it.
        """
        shown: Values = dict.fromkeys((self.comparison, self.film, self.so_far))
        shown[self.film_line] = status.remark(_NO_FILM)
        if photo and (file := self.painted(photo, style)):
            shown[self.comparison] = _compared(photo, file)
            return {**shown, self.live: served(file), self.status: status.idle(_EXAMPLE)}
        missing = [name for name, path in (("a photo", photo), ("a style picture", style)) if path is None]
        advice = f"Add {' and '.join(missing)}." if missing else "Press Paint to watch it happen."
        return {**shown, self.live: served(photo) if photo else gr.skip(), self.status: status.idle(advice)}

    def painted(self, photo: str | None, style: str | None) -> Path | None:
        """Return what these two become, where that is there without painting them."""
        return finished(among(photos(), photo), among(styles(), style))

    async def released(self, run: Run) -> Values:
        """Return what shows a run's end, and what can be done with it."""
        kept, folder = run.folder.kept(), run.folder
        if not kept:
            return {}
        shown: Values = {
            self.actions: await self._result(run, kept[-1]),
            # The last frame once more, in a message of its own, should the stream have lost it at its end.
            self.live: served(kept[-1].path),
            self.strip: [{"file": served(one.path), "name": one.name} for one in folder.shown()],
        }
        if folder.finished:
            shown[self.comparison] = _compared(folder.before, folder.finished.path)
        return shown

    async def make_film(self, values: Values, request: gr.Request) -> Values:
        """Return what shows the film of the run that the page shows, once there is nothing more to come."""
        run = self.run(values)
        try:
            if run is None or run.under_way or not run.folder.kept():
                raise InputError(_NO_FILM)
            async with self.service.side_work.place(client_of(request)):
                mp4, webp = await to_thread.run_sync(film, run.folder)
        except InputError as error:
            return {self.film: None, self.film_line: status.remark(str(error))}
        name = Path(run.file_name(run.folder.kept()[-1])).stem
        return {self.film: {"mp4": served(mp4), "webp": served(webp), "name": name}, self.film_line: ""}

    async def _result(self, run: Run, kept: SavedFrame) -> dict[str, Any]:
        """Return a kept frame as what something can be done with; the finished one can go on larger."""
        is_finished, file = kept == run.folder.finished, Path(kept.path)
        if kept.of_clip:
            file, larger = file.with_suffix(".mp4") if is_finished else file, []
        else:
            larger = await larger_sizes(self.service, run.settings, *kept.size) if is_finished else []
        name = Path(run.file_name(kept)).with_suffix(file.suffix).name
        return {"file": served(file), "name": name, "larger": larger, "moves": kept.of_clip and is_finished}

    async def _choose(self, values: Values, event: gr.EventData) -> Values:
        """Show the kept frame that was clicked; Continue goes on from it."""
        run = self.run(values)
        shown = run.folder.shown() if run else []
        index = picked(event, len(shown))
        if run is None or index is None:
            return {self.live: gr.skip()}
        kept = shown[index]
        return {
            self.live: served(kept.path),
            self.status: status.idle(
                f"{run.step.title()} {kept.iteration}. Press Continue to go on from here."
            ),
            self.actions: None if run.under_way else await self._result(run, kept),
            **self.showing(values, run, kept),
        }


def _compared(before: str | Path, after: str | Path) -> dict[str, Any]:
    """Return two pictures as `BeforeAfter` shows them."""
    return {"before": served(before), "after": served(after)}
