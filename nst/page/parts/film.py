"""The time-lapse of a painting."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from anyio import to_thread
from gradio.blocks import Block

from nst.errors import InputError
from nst.guard.clients import client_of
from nst.guard.service import Service
from nst.page import status
from nst.page.components import Film, Filmed
from nst.page.parts import Values
from nst.page.parts.stage import Stage
from nst.runs.stream import film

_NOTHING = "The time-lapse appears here when a painting is finished."


class TimeLapse:
    """A film of the kept frames, made as soon as there is nothing more to come."""

    def __init__(self, service: Service, stage: Stage) -> None:
        self.service, self.stage = service, stage
        self.line = gr.HTML(status.remark(_NOTHING), elem_id="filmed")
        self.film = Film(elem_id="film")

    @property
    def shown(self) -> list[Block]:
        """What `make` changes."""
        return [self.film, self.line]

    def nothing(self, why: str = _NOTHING) -> Values:
        """Return what shows that there is no film."""
        return {self.film: None, self.line: status.remark(why)}

    async def make(self, values: Values, request: gr.Request) -> Values:
        """Return what shows the film of the run that the page shows."""
        run = self.stage.run(values)
        try:
            if run is None or run.under_way or not run.folder.kept():
                raise InputError(_NOTHING)
            async with self.service.side_work.place(client_of(request)):
                mp4, webp = await to_thread.run_sync(film, run.folder)
        except InputError as error:
            return self.nothing(str(error))
        name = Path(run.file_name(run.folder.kept()[-1])).stem
        return {self.film: Filmed(mp4, webp, name), self.line: ""}
