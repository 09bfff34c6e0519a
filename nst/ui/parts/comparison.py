"""The photo and the finished painting, one over the other."""

from __future__ import annotations

import gradio as gr

from nst.ui.gallery import finished, photos
from nst.ui.parts import Values
from nst.ui.runs.run import Run


class Comparison:
    """A slider between before and after."""

    def __init__(self) -> None:
        example = finished()
        self.slider = gr.ImageSlider(
            (str(photos()[0].path), str(example)) if example else None,
            type="filepath",
            format="png",
            show_label=False,
            interactive=False,
            buttons=["fullscreen"],
            elem_id="compare",
        )

    def showing(self, run: Run | None) -> Values:
        """Return what shows a finished run."""
        if run is None or run.folder.finished is None:
            return {}
        return {self.slider: (run.folder.before, run.folder.finished.path)}
