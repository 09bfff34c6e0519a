"""Gradio 6.31.0: what an event's script sent is behind `gr.EventData.__getattr__`, which fails for a list.

Anybody can send anything; so it is read here from the private field, as a dictionary.
"""

from typing import Any

import gradio as gr


def message(event: gr.EventData) -> dict[str, Any]:
    """Return what was sent with an event, {} if that is no dictionary."""
    sent = event._data
    return sent if isinstance(sent, dict) else {}
