"""The time-lapse of a painting."""

from __future__ import annotations

import anyio
import gradio as gr
from anyio import to_thread
from gradio.blocks import Block

from nst.errors import InputError
from nst.ui import status
from nst.ui.components import Film
from nst.ui.parts import Values
from nst.ui.parts.stage import Stage
from nst.ui.runs.stream import film
from nst.ui.service import Service
from nst.ui.web.visitors import visitor_of

_NOTHING = "The film of a painting stands here when it has ended."


class TimeLapse:
    """A film of the kept frames, made as soon as there is nothing more to come.

    Args:
        service: of this host.
        stage: whose frames.
    """

    def __init__(self, service: Service, stage: Stage) -> None:
        self.service, self.stage = service, stage
        self._one_at_a_time = anyio.Lock()
        self.said = gr.HTML(status.remark(_NOTHING), elem_id="filmed")
        self.film = Film(elem_id="film")
        with gr.Row(elem_id="films"):
            self.mp4 = gr.DownloadButton("MP4", interactive=False, elem_id="mp4")
            self.webp = gr.DownloadButton("Animated WebP", interactive=False, elem_id="webp")

    @property
    def shown(self) -> list[Block]:
        """What `make` changes."""
        return [self.film, self.said, self.mp4, self.webp]

    async def make(self, values: Values, request: gr.Request) -> Values:
        """Return what shows the film of the run that the page shows."""
        run = self.stage.run(values)
        frames = run.folder.kept() if run else []
        try:
            if run is None or run.under_way or not frames:
                raise InputError(_NOTHING)
            with self.service.side_work.place(visitor_of(request)):
                async with self._one_at_a_time:
                    mp4, webp = await to_thread.run_sync(film, self.service.files, frames)
        except InputError as error:
            return {
                self.film: None,
                self.said: status.remark(str(error)),
                self.mp4: gr.DownloadButton(interactive=False),
                self.webp: gr.DownloadButton(interactive=False),
            }
        return {
            self.film: mp4,
            self.said: "",
            self.mp4: gr.DownloadButton(value=mp4, interactive=True),
            self.webp: gr.DownloadButton(value=webp, interactive=True),
        }
