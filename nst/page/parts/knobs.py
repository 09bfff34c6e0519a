"""The controls of the settings, one for each knob, what is read from them, and what a run of them will be."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import gradio as gr
from gradio.blocks import Block

from nst.errors import InputError
from nst.gradio_faults.inputs import Control
from nst.guard.clients import client_of
from nst.page import status
from nst.page.components import control
from nst.page.parts import QUIET, Values
from nst.page.parts.pictures import PictureInputs
from nst.runs.limits import Limits
from nst.settings import KNOBS

# What the length of a run depends on.
_COSTLY = ("iterations", "size", "coarse_to_fine", "encoder")


class Knobs:
    """The components of the knobs, put where the page wants them."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.components: dict[str, Control] = {
            name: control(limits.knob(name), render=False) for name, knob in KNOBS.items() if not knob.local
        }
        # In an order that is the same in every process; and those that may be moved while it paints.
        self.all: list[Block] = list(self.components.values())
        self.live = [component for name, component in self.components.items() if KNOBS[name].live]

    def add(self, *names: str) -> None:
        for name in names:
            self.components[name].render()

    def of(self, names: Collection[str]) -> list[Block]:
        return [self.components[name] for name in names]

    def read(self, values: Values) -> dict[str, Any]:
        """Return the knobs that are among the components, by name."""
        return {name: values[each] for name, each in self.components.items() if each in values}

    def moved(self, knobs: Mapping[str, Any]) -> Values:
        """Return what moves the controls to these values, as far as this host allows; others stay."""
        if "size" in knobs:
            knobs = {**knobs, "size": min(knobs["size"], self.limits.size)}
        return {each: knobs.get(name, gr.skip()) for name, each in self.components.items()}


def add_forecast(pictures: PictureInputs, knobs: Knobs) -> Callable[[Any], Any]:
    """Put the line here; return a function that has it told anew after an event, and returns that event."""
    line = gr.HTML(elem_id="forecast")
    decoder, painter = pictures.service.decoder, pictures.service.painter
    inputs = {pictures.photo, *knobs.of(_COSTLY)}

    async def tell(values: Values, request: gr.Request) -> str:
        try:
            settings = knobs.limits.allowed(knobs.read(values))
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
