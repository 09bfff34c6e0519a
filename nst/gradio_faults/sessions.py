"""Gradio 6.31.0: it keeps a copy of how every component looks for each visit, 0.3 MB of this page."""

from types import SimpleNamespace
from typing import Any

import gradio as gr
from gradio import state_holder

# Visits that are remembered; the oldest are forgotten first.
MOST = 2000


class _Visit(state_holder.SessionState):
    """What a visit has of its own: nothing.

    The copy is for deep links and for pages whose components change what they accept. This one has neither,
    and a visitor's runs are kept elsewhere (nst/runs/registry.py), where they outlive the visit.
    """

    def __init__(self, blocks: gr.Blocks) -> None:
        super().__init__(SimpleNamespace(default_config=blocks.default_config, blocks=()))  # type: ignore[arg-type]
        self.blocks_config = blocks.default_config
        # An update of a component is a new component, of which Gradio asks for what is new at once.
        self._updated: dict[int, Any] = {}

    def __setitem__(self, key: int, value: Any) -> None:
        self._updated = {key: value}

    def __getitem__(self, key: int) -> Any:
        return self._updated[key] if key in self._updated else super().__getitem__(key)

    def _update_config(self, key: int) -> None:
        """Nothing."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Nothing."""


def make_small() -> None:
    """Have pages remember little of each visit."""
    state_holder.SessionState = _Visit  # type: ignore[misc]
