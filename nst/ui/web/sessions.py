"""What Gradio remembers of each visit, made small."""

from __future__ import annotations

from copy import copy
from typing import Any

import gradio as gr
from gradio.state_holder import SessionState, StateHolder

# Visits that are remembered; the oldest are forgotten first. Each costs some ten kilobytes.
MOST = 2000


class _Visit(SessionState):
    """A visit without a copy of what every component of the page looks like.

    Gradio keeps that copy, 0.4 MB for this page, for its deep links, which are not used here.
    """

    def __init__(self, blocks: gr.Blocks) -> None:
        self.blocks_config = copy(blocks.default_config)
        self.config_values: dict[int, Any] = {}
        self.state_data: dict[int, Any] = {}
        self._state_ttl: dict[int, Any] = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = 3600

    def __setitem__(self, key: int, value: Any) -> None:
        super().__setitem__(key, value)
        self.config_values.clear()

    def _update_config(self, key: int) -> None:
        """Nothing."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Nothing."""


class _Visits(StateHolder):
    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = _Visit(self.blocks)
        return super().__getitem__(session_id)


def make_small(demo: gr.Blocks) -> None:
    """Have a page that is launched remember little of each visit."""
    visits = _Visits()
    visits.set_blocks(demo)
    demo.app.state_holder = visits
