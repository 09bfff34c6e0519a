"""Gradio 6.31.0: its inputs check what was sent, with errors that do not name the input.

Its decoding of pictures also loses orientation, transparency and 16-bit samples, and is done in this process.
Here a value is handed on as it came: `Settings` and `nst/runs/decoder.py` check it.
"""

from typing import Any, TypeVar

import gradio as gr

_Component = TypeVar("_Component", bound=gr.components.Component)


def _preprocess(self: Any, payload: Any) -> Any:
    """Return the value, unchecked; of a file its path, which is still to be checked (`Files.sent`)."""
    return getattr(payload, "path", payload)


def _as_sent(kind: type[_Component]) -> type[_Component]:
    """Return a component that hands on what was sent; by its name the browser knows which one to show."""
    made: Any = type(kind.__name__, (kind,), {"preprocess": _preprocess})
    return made


class Image(_as_sent(gr.Image)):  # type: ignore[misc]
    """A picture."""

    def api_info(self) -> dict[str, Any]:
        return {**super().api_info(), "description": "an image file"}


Picture = Image
PathOfFile = _as_sent(gr.File)
KnobCheckbox = _as_sent(gr.Checkbox)
KnobRadio = _as_sent(gr.Radio)
KnobNumber = _as_sent(gr.Number)
KnobDropdown = _as_sent(gr.Dropdown)
KnobSlider = _as_sent(gr.Slider)

Control = gr.Checkbox | gr.Radio | gr.Number | gr.Dropdown | gr.Slider
