"""Chips that set the three main sliders."""

from __future__ import annotations

from functools import partial

import gradio as gr

from nst.page.parts import QUIET
from nst.page.parts.knobs import Knobs
from nst.settings import KNOBS

MAIN = ("content_weight", "style_weight", "iterations")
PRESETS: dict[str, dict[str, float]] = {
    "Light touch": {"content_weight": 7.5, "style_weight": 4.0, "iterations": 50},
    "Balanced": {name: KNOBS[name].default for name in MAIN},
    "Bold": {"content_weight": 3.0, "style_weight": 6.5, "iterations": 130},
}


def add_presets(knobs: Knobs) -> None:
    """Put the chips here, and the sliders that they set."""
    with gr.Column(elem_id="weights"):
        with gr.Row(elem_id="chips"):
            for title, wanted in PRESETS.items():
                chip = gr.Button(title, size="sm")
                chip.click(partial(list, wanted.values()), None, knobs.of(wanted), **QUIET)
        knobs.add(*MAIN)
