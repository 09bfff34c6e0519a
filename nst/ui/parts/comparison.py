"""The photo and the finished painting, one over the other."""

from __future__ import annotations

import gradio as gr

from nst.ui.gallery import photos
from nst.ui.parts import Values
from nst.ui.parts.stage import EXAMPLE
from nst.ui.runs.history import History


class Comparison:
    """A slider between before and after."""

    def __init__(self) -> None:
        self.slider = gr.ImageSlider(
            (str(photos()[0].path), EXAMPLE) if EXAMPLE else None,
            type="filepath",
            format="png",
            show_label=False,
            interactive=False,
            buttons=["fullscreen"],
            elem_id="compare",
        )

    def showing(self, history: History) -> Values:
        """Return what shows a finished run."""
        return {self.slider: (history.before, history.frames[-1].path)} if history.frames else {}
