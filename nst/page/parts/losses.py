"""The chart of the losses."""

from __future__ import annotations

import gradio as gr


def add_chart() -> gr.LinePlot:
    """Put the chart here; `nst.runs.loss_log.LossLog` makes its table."""
    return gr.LinePlot(
        x="step",
        y="log10",
        color="term",
        x_title="Step",
        y_title="Loss (log10)",
        color_title="Term",
        height=320,
        show_label=False,
        buttons=[],
        elem_id="loss",
    )
