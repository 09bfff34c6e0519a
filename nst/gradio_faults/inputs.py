"""Gradio 6.31.0: its inputs check what was sent, with errors that do not name the input.

Its decoding of pictures also loses orientation, transparency and 16-bit samples, and is done in this process.
Here a value is handed on as it came: `Settings` and `nst/runs/decoder.py` check it.
"""

from __future__ import annotations

from typing import Any

import gradio as gr


class AsSent:
    """Hands a value on as it came; the last base of a class is the component that the browser shows."""

    def get_block_name(self) -> str:
        """Name the browser's half of the component."""
        return type(self).__bases__[-1].__name__.lower()

    def preprocess(self, payload: Any) -> Any:
        """Return the value, unchecked; of a file its path, which is still to be checked (`Files.sent`)."""
        return getattr(payload, "path", payload)


class Picture(AsSent, gr.Image):
    """A picture."""

    def api_info(self) -> dict[str, Any]:
        """Describe the input as any image file."""
        return {**super().api_info(), "description": "an image file"}


class PathOfFile(AsSent, gr.File):
    """A file."""


class KnobCheckbox(AsSent, gr.Checkbox):
    """A switch."""


class KnobRadio(AsSent, gr.Radio):
    """A choice."""


class KnobNumber(AsSent, gr.Number):
    """A number to type."""


class KnobDropdown(AsSent, gr.Dropdown):
    """A text to choose or to type."""


class KnobSlider(AsSent, gr.Slider):
    """A number to slide."""


Control = KnobCheckbox | KnobRadio | KnobNumber | KnobDropdown | KnobSlider
