"""Gradio 6.31.0: a loading sign counts in every frame, and goes on when it is taken away.

An idle page kept a phone at work. Counting four times a second reads the same and lets the page rest.
"""

from pathlib import Path

SCRIPT = Path(__file__).with_name("timers.html").read_text("utf-8")
