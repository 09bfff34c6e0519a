"""Gradio 6.31.0: at its start it prints a picture sign, which ends the app where the console has none."""

import io
import sys


def print_what_there_is() -> None:
    """Have signs that a console cannot show, as on Windows, printed as question marks."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a notebook's is none
            stream.reconfigure(errors="replace")
