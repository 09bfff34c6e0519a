"""Buttons that set sliders: chips for the three main ones, and one that takes whatever comes."""

from __future__ import annotations

import random
from functools import partial

import gradio as gr

from nst.page.gallery import styles
from nst.page.parts import QUIET, Values
from nst.page.parts.knobs import Knobs
from nst.page.parts.pictures import PictureInputs
from nst.settings import KNOBS

MAIN = ("content_weight", "style_weight", "iterations")
PRESETS: dict[str, dict[str, float]] = {
    "Light touch": {"content_weight": 7.5, "style_weight": 4.0, "iterations": 50},
    "Balanced": {name: KNOBS[name].default for name in MAIN},
    "Bold": {"content_weight": 3.0, "style_weight": 6.5, "iterations": 130},
}
# From where to where a surprise goes: what looks like something with any photo.
_RANGES = {
    "content_weight": (3.5, 6.5),
    "style_weight": (4.0, 7.0),
    "large_shapes": (3.0, 8.0),
    "style_scale": (0.8, 1.5),
}


def add_presets(knobs: Knobs) -> None:
    with gr.Column(elem_id="weights"):
        with gr.Row(elem_id="chips"):
            for title, wanted in PRESETS.items():
                chip = gr.Button(title, size="sm")
                chip.click(partial(list, wanted.values()), None, knobs.of(wanted), **QUIET)
        knobs.add(*MAIN)


def add_surprise(pictures: PictureInputs, knobs: Knobs) -> None:
    """Put here a button that takes another style and other settings; the photo stays."""

    def take(values: Values) -> Values:
        shown = str(values[pictures.style])
        # By name: what is shown is a copy.
        others = [example for example in styles() if not shown.endswith(f"/{example.name}")]
        rolled: Values = {
            knobs.components[name]: round(random.uniform(*ends), 1)  # noqa: S311
            for name, ends in _RANGES.items()
        }
        return {pictures.style: str(random.choice(others)), **rolled}  # noqa: S311

    button = gr.Button("Surprise me", size="sm", elem_id="surprise")
    button.click(take, {pictures.style}, [pictures.style, *knobs.of(_RANGES)], **QUIET)
