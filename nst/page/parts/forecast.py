"""The line that says what the next run will be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from nst.errors import InputError
from nst.guard.clients import client_of
from nst.page import status
from nst.page.parts import QUIET, Values
from nst.page.parts.knobs import Knobs
from nst.page.parts.pictures import PictureInputs

# What the length of a run depends on.
COSTLY = ("iterations", "size", "coarse_to_fine", "encoder")


class ForecastLine:
    """Size and duration of the next run, as far as they can be told."""

    def __init__(self, pictures: PictureInputs, knobs: Knobs) -> None:
        self.pictures, self.knobs = pictures, knobs
        self.line = gr.HTML(elem_id="forecast")
        self.inputs = {pictures.photo, *knobs.of(COSTLY)}
        changes = [pictures.photo.change, *(knobs.components[name].change for name in COSTLY)]
        gr.on(changes, self.tell, self.inputs, self.line, trigger_mode="multiple", **QUIET)

    def follow(self, event: Any) -> Any:
        """Tell it anew after an event, too; return the event that does."""
        return event.then(self.tell, self.inputs, self.line, **QUIET)

    async def tell(self, values: Values, request: gr.Request) -> str:
        """Return what the next run will be."""
        try:
            settings = self.knobs.settings(values)
            photo, label = values[self.pictures.photo], "The photo"
            if photo is None:
                return ""
            file = self.pictures.service.files.sent(photo, label)
            decoder, painter = self.pictures.service.decoder, self.pictures.service.painter
            size, moving = await decoder.describe(file, label, client_of(request))
            if moving:
                settings = replace(settings, size=min(settings.size, decoder.clip_size))
            return status.forecast(await painter.forecast(*size, settings), moving.count if moving else 1)
        except InputError as error:
            return status.remark(str(error))
