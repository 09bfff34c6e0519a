"""Gradio 6.31.0: it keeps a copy of how every component looks for each visit, 0.3 MB of this page."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.state_holder import SessionState, StateHolder

# Visits that are remembered; the oldest are forgotten first.
MOST = 2000


class _Visit(SessionState):
    """What a visit has of its own: nothing.

    The copy is for deep links and for pages whose components change what they accept. This one has neither,
    and a visitor's runs are kept elsewhere (nst/runs/registry.py), where they outlive the visit.
    """

    def __init__(self, blocks: gr.Blocks) -> None:
        self.blocks_config = blocks.default_config
        self.config_values: dict[int, Any] = {}
        self.state_data: dict[int, Any] = {}
        self._state_ttl: dict[int, Any] = {}
        self.is_closed = False
        self.STATE_TTL_WHEN_CLOSED = 3600
        # An update of a component is a new component, of which Gradio asks for what is new at once.
        self._updated: tuple[int | None, Any] = (None, None)

    def __setitem__(self, key: int, value: Any) -> None:
        self._updated = (key, value)

    def __getitem__(self, key: int) -> Any:
        number, component = self._updated
        return component if number == key else super().__getitem__(key)

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
