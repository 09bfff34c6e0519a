"""Gradio components that behave as a live painting needs."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData

from nst.gradio_faults.events import message
from nst.gradio_faults.inputs import Control, KnobCheckbox, KnobDropdown, KnobNumber, KnobRadio, KnobSlider
from nst.knob import Knob
from nst.page.static import markup, on_load


def element(name: str, script: str | None = None, **more: Any) -> gr.HTML:
    """Return a component of our own, which is `static/NAME.html` and has that name as its element id.

    A function of the page's scripts brings it to life. What `gr.HTML` does not know of `more` fills the HTML.
    """
    js = on_load(script) if script else None
    return gr.HTML(html_template=markup(name), js_on_load=js, **{"elem_id": name, **more})


def picked(event: gr.EventData, count: int) -> int | None:
    """Return which of `count` buttons was clicked; None if what was sent is the number of none of them."""
    index = message(event).get("index")
    return index if type(index) is int and 0 <= index < count else None


def served(path: str | Path) -> dict[str, Any]:
    """Return a file as Gradio serves it to a script; it is in Gradio's cache folder, or an example."""
    return FileData(path=str(path)).model_dump()


def freed(spoken: str = "") -> dict[str, str]:
    """Return the value of the button Paint that can begin a run again.

    Gradio sends the last message of a run twice; its "id" tells the second one, which may come after a press.
    """
    return {"state": "ready", "id": secrets.token_hex(4), "spoken": spoken}


def control(knob: Knob, **more: Any) -> Control:
    named: Any = {"label": knob.label, "info": knob.help, "elem_id": knob.name}
    common: Any = {**named, "value": knob.default, **more}
    if knob.kind is bool:
        return KnobCheckbox(**common)
    if knob.choices:
        return KnobRadio(choices=[(label, value) for value, label in knob.choices.items()], **common)
    if knob.kind is str:
        suggested = [(label, value) for value, label in knob.suggestions.items()]
        return KnobDropdown(choices=suggested, allow_custom_value=True, **common)
    if knob.name == "seed":  # a slider over four billion values cannot be aimed
        return KnobNumber(minimum=knob.low, maximum=knob.high, precision=0, **common)
    return KnobSlider(minimum=knob.low, maximum=knob.high, step=knob.step, buttons=[], **common)
