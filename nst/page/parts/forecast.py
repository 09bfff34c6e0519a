"""The line that says what the next run will be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from nst.errors import InputError
from nst.guard.clients import client_of
from nst.page import status
from nst.page.parts import QUIET, Values
from nst.page.parts.knobs import Knobs, allowed
from nst.page.parts.pictures import PictureInputs

# What the length of a run depends on.
_COSTLY = ("iterations", "size", "coarse_to_fine", "encoder")


def add_forecast(pictures: PictureInputs, knobs: Knobs) -> Callable[[Any], Any]:
    """Put the line here; return a function that has it told anew after an event, and returns that event."""
    line = gr.HTML(elem_id="forecast")
    decoder, painter = pictures.service.decoder, pictures.service.painter
    inputs = {pictures.photo, *knobs.of(_COSTLY)}

    async def tell(values: Values, request: gr.Request) -> str:
        try:
            settings = allowed(knobs.read(values), knobs.limits)
            file = pictures.sent(values[pictures.photo], "The photo")
            if file is None:
                return ""
            size, moving = await decoder.describe(file, "The photo", client_of(request))
            if moving:
                settings = moving.fitted(settings)
            return status.forecast(await painter.forecast(*size, settings), moving.count if moving else 1)
        except InputError as error:
            return status.remark(str(error))

    changes = [pictures.photo.change, *(knobs.components[name].change for name in _COSTLY)]
    gr.on(changes, tell, inputs, line, trigger_mode="multiple", **QUIET)
    return lambda event: event.then(tell, inputs, line, **QUIET)
