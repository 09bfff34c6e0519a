"""Chips that set the three main sliders."""

from __future__ import annotations

import gradio as gr

from nst.page.components import Chips, picked
from nst.page.parts import QUIET, Values
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
        chips = Chips(list(PRESETS), elem_id="chips")
        knobs.add(*MAIN)

    def take(event: gr.EventData) -> Values:
        index = picked(event, len(PRESETS))
        wanted = {} if index is None else list(PRESETS.values())[index]
        return {knobs.components[name]: wanted.get(name, gr.skip()) for name in MAIN}

    chips.select(take, None, list(knobs.of(MAIN)), **QUIET)
