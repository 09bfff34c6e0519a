"""What is asked of Gradio: events of the page, calls of programs, tools of assistants, as they may go in."""

from __future__ import annotations

import re
from typing import Any

import gradio as gr
from starlette.exceptions import HTTPException

from nst.guard.file_references import admit
from nst.runs.storage import Files

# Gradio tells a request that does not fit from a fault of its own in neither status nor words.
UNFIT = "This request is not what is taken here; Use via API or MCP, at the page's foot, says what is."
_NO_FILE = "{label} is no file; upload one and send what names it, or send a data: URL."
_NEEDED = {"photo", "style"}  # for a call by names Gradio has no words if one is missing
_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Events:
    """Reads bodies of requests: what fits is returned, with its files as Gradio knows them.

    Each method raises HTTPException for what does not fit, and OSError where there is no room for its files.
    """

    def __init__(self, demo: gr.Blocks, files: Files) -> None:
        self.demo, self.files = demo, files

    def event(self, client: str, given: dict[str, Any], *, queued: bool) -> dict[str, Any]:
        """Return an event of the page, or of a program that knows its number."""
        event = self.demo.fns.get(given["fn_index"]) if type(given.get("fn_index")) is int else None
        if event is None or bool(event.queue) is not queued:
            raise HTTPException(422, UNFIT)
        session = given.get("session_hash")
        if session is not None and not (isinstance(session, str) and _SESSION.fullmatch(session)):
            raise HTTPException(422, UNFIT)
        # A batch, a streamed input or a job of somebody else's are all asked for by further words.
        words = ("fn_index", "session_hash", "event_data", "trigger_id")
        kept = {word: given[word] for word in words if word in given}
        data = self._data(given.get("data"), event.inputs, client)
        return {**admit(self.files, kept, client), "data": data}

    def call(self, client: str, given: dict[str, Any], *, by_name: bool) -> dict[str, Any]:
        """Return a call of /stylize."""
        inputs: Any = next(event.inputs for event in self.demo.fns.values() if event.api_name == "stylize")
        if not by_name:
            values = given.get("data")
            if isinstance(values, list):  # what is left out at the end is as it is on a fresh page
                values = [*values, *(component.value for component in inputs[len(values) :])]
            return {"data": self._data(values, inputs, client)}
        named = {component.elem_id.removeprefix("api-").replace("-", "_"): component for component in inputs}
        if not given.keys() <= named.keys():
            raise HTTPException(422, UNFIT)
        values = {name: self._value(named[name], value, client) for name, value in given.items()}
        if not given.keys() >= _NEEDED:
            raise HTTPException(422, "Both photo and style are needed; upload them and send what names them.")
        return values

    def tool(self, client: str, call: dict[str, Any]) -> dict[str, Any]:
        """Return a call of a tool; any other message as it is."""
        asked = call.get("params")
        if call.get("method") != "tools/call" or not isinstance(asked, dict):
            return call
        given = asked["arguments"] if isinstance(asked.get("arguments"), dict) else {}
        admitted = {name: admit(self.files, value, client, tool=True) for name, value in given.items()}
        return {**call, "params": {**asked, "arguments": admitted}}

    def _data(self, values: Any, inputs: Any, client: str) -> list[Any]:
        if not isinstance(values, list) or len(values) != len(inputs):
            raise HTTPException(422, UNFIT)
        pairs = zip(inputs, values, strict=True)
        return [self._value(component, value, client) for component, value in pairs]

    def _value(self, component: Any, value: Any, client: str) -> Any:
        """Return one input; of what is no file for a picture Gradio says no more than that it failed."""
        admitted = admit(self.files, value, client)
        is_file = admitted is None or (isinstance(admitted, dict) and "path" in admitted)
        if component.get_block_name() == "image" and not is_file:
            raise HTTPException(422, _NO_FILE.format(label=component.label))
        return admitted
