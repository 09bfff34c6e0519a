"""The parts of the page, each with its layout and its events side by side."""

from typing import Any

from gradio.blocks import Block

# What a handler is given, and what it returns: the value of each component.
Values = dict[Block, Any]

# What answers at once: no queue, no spinner, no place in the API.
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
# What has a queue or places of its own (nst/painters/scheduler.py).
LONG: dict[str, Any] = {"show_progress": "minimal", "concurrency_limit": None, "api_visibility": "private"}
