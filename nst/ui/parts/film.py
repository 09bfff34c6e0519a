"""The time-lapse of a painting."""

from __future__ import annotations

import anyio
import gradio as gr
from anyio import to_thread

from nst.errors import InputError
from nst.ui import status
from nst.ui.components import Film
from nst.ui.parts import LONG, Values
from nst.ui.parts.stage import Stage
from nst.ui.runs.stream import film
from nst.ui.service import Service
from nst.ui.web.visitors import visitor_of


class TimeLapse:
    """A film of the kept frames, made when asked for.

    Args:
        service: of this host.
        stage: whose frames.
    """

    def __init__(self, service: Service, stage: Stage) -> None:
        self.service, self.stage = service, stage
        self._one_at_a_time = anyio.Lock()
        button = gr.Button("Make a film of it", size="sm", elem_id="make-film")
        self.said = gr.HTML(elem_id="filmed")
        self.film = Film(elem_id="film")
        with gr.Row(elem_id="films"):
            self.mp4 = gr.DownloadButton("MP4", interactive=False, elem_id="mp4")
            self.webp = gr.DownloadButton("Animated WebP", interactive=False, elem_id="webp")
        button.click(
            self._make,
            {stage.handle},
            [self.film, self.said, self.mp4, self.webp],
            show_progress_on=self.said,
            **LONG,
        )

    async def _make(self, values: Values, request: gr.Request) -> Values:
        run = self.stage.run(values)
        frames = run.folder.kept() if run else []
        try:
            if not frames:
                raise InputError("Paint something first.")
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
