"""The canvas: the painting as it develops, what is said of it, and its kept frames."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from nst.ui import status
from nst.ui.components import Filmstrip, LivePreview, picked
from nst.ui.gallery import FINISHED
from nst.ui.parts import QUIET, Values
from nst.ui.runs.history import History

EXAMPLE = str(FINISHED) if FINISHED.exists() else None
_PRESET_TEXT = "An example: what the two pictures here become. Press Paint to watch it happen."


class Stage:
    """The canvas with its buttons and its history.

    Args:
        paint: the button that begins a run; it stands elsewhere.
        badge: who paints where; likewise.
    """

    def __init__(self, paint: gr.Button, badge: gr.HTML) -> None:
        self.paint, self.badge = paint, badge
        self.live = LivePreview(EXAMPLE, elem_id="live")
        self.status = gr.HTML(status.idle(_PRESET_TEXT), elem_id="status")
        with gr.Row(elem_id="actions"):
            self.stop = gr.Button("Stop", interactive=False, elem_id="stop")
            self.carry_on = gr.Button("Continue", interactive=False, elem_id="continue")
            self.download = gr.DownloadButton("Download", interactive=False, elem_id="download")
        self.history = gr.State(History())
        self.strip = Filmstrip(elem_id="history", elem_classes="strip")
        self.strip.select(self._choose, {self.history}, [self.live, self.status, self.history], **QUIET)

    @property
    def buttons(self) -> list[Any]:
        """Those that change when a run begins and ends, in the order of static/busy.js."""
        return [self.paint, self.stop, self.carry_on, self.download]

    def released(self, history: History) -> Values:
        """Return what shows a run's end, and frees the buttons for the next one."""
        freed: Values = {
            self.paint: gr.Button("Paint", interactive=True),
            self.stop: gr.Button("Stop", interactive=False),
        }
        if not history.frames:
            return freed
        finished = history.frames[-1].path
        return {
            **freed,
            self.carry_on: gr.Button(interactive=True),
            self.download: gr.DownloadButton(value=finished, interactive=True),
            # The last frame once more, in a message of its own, should the stream have lost it at its end.
            self.live: finished,
            self.strip: history.strip(),
        }

    def _choose(self, values: Values, event: gr.EventData) -> Values:
        """Show the kept frame that was clicked; Continue goes on from it."""
        history: History = values[self.history]
        shown = history.shown()
        index = picked(event, len(shown))
        if index is None:
            return {self.live: gr.skip()}
        kept = shown[index]
        return {
            self.live: kept.path,
            self.status: status.idle(f"{kept.name}. Continue goes on from here."),
            self.history: replace(history, chosen=kept),
        }
