"""A button that takes another style and other settings, whatever they are; the photo stays."""

from __future__ import annotations

import random

import gradio as gr

from nst.page.gallery import styles
from nst.page.parts import QUIET, Values
from nst.page.parts.knobs import Knobs
from nst.page.parts.pictures import PictureInputs

# From where to where each goes: what looks like something with any photo.
_RANGES = {
    "content_weight": (3.5, 6.5),
    "style_weight": (4.0, 7.0),
    "large_shapes": (3.0, 8.0),
    "style_scale": (0.8, 1.5),
}


def add_surprise(pictures: PictureInputs, knobs: Knobs) -> None:
    """Put the button here."""

    def take(values: Values) -> Values:
        shown = str(values[pictures.style])
        # By name: what is shown is a copy.
        others = [example for example in styles() if not shown.endswith(f"/{example.name}")]
        rolled = {name: round(random.uniform(*ends), 1) for name, ends in _RANGES.items()}  # noqa: S311
        return {
            pictures.style: str(random.choice(others)),  # noqa: S311
            **{knobs.components[name]: value for name, value in rolled.items()},
        }

    button = gr.Button("Surprise me", size="sm", elem_id="surprise")
    button.click(take, {pictures.style}, [pictures.style, *knobs.of(_RANGES)], **QUIET)
