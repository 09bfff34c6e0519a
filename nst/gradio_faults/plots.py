"""Gradio 6.31.0: where matplotlib is installed it asks at each event which windows it would draw in.

At the first one that takes half a second, to load what draws them; and the backend that a notebook names for
itself is not there in a process that it starts, whose every event then fails.
"""

import os


def draw_in_no_window() -> None:
    """Have matplotlib load nothing that draws on a screen."""
    os.environ["MPLBACKEND"] = "agg"
