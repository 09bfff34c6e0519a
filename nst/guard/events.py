"""What is asked of Gradio: events of the page, calls of programs, tools of assistants, as they may go in.

Gradio checks what is marked as a file, fetches what is an address, in any argument, and hands on what is
neither as it came. Here everything that looks like a file is taken for one, only what was sent to this host
comes in, and nothing is fetched.
"""

from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

import gradio as gr
from starlette.exceptions import HTTPException

from nst.guard.budgets import MOST_FILE, TOO_LARGE
from nst.guard.routes import API
from nst.runs.storage import Files

# Gradio tells a request that does not fit from a fault of its own in neither status nor words.
UNFIT = "This request is not what is taken here; Use via API or MCP, at the page's foot, says what is."
_SERVED = f"{API}/file="
_NOT_SENT = "A file in this request is not one that was sent here; upload it first, or send a data: URL."
_ADDRESS = "Nothing is fetched from an address here; send the file itself."
_NO_FILE = "{label} is no file; upload one and send what names it, or send a data: URL."
_NEEDED = {"photo", "style"}  # for a call by names Gradio has no words if one is missing
_SESSION = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass
class Events:
    """Reads a client's requests: what fits is returned, with its files as Gradio knows them.

    Each method raises HTTPException for what does not fit, and OSError where there is no room for its files.
    """

    demo: gr.Blocks
    files: Files
    client: str

    def event(self, given: dict[str, Any], *, queued: bool) -> dict[str, Any]:
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
        return {**self._admit(kept), "data": self._data(given.get("data"), event.inputs)}

    def call(self, given: dict[str, Any], *, by_name: bool) -> dict[str, Any]:
        inputs: Any = next(event.inputs for event in self.demo.fns.values() if event.api_name == "stylize")
        if not by_name:
            values = given.get("data")
            if isinstance(values, list):  # what is left out at the end is as it is on a fresh page
                values = [*values, *(component.value for component in inputs[len(values) :])]
            return {"data": self._data(values, inputs)}
        named = {component.elem_id.removeprefix("api-"): component for component in inputs}
        if not given.keys() <= named.keys():
            raise HTTPException(422, UNFIT)
        values = {name: self._value(named[name], value) for name, value in given.items()}
        if not given.keys() >= _NEEDED:
            raise HTTPException(422, "Both photo and style are needed; upload them and send what names them.")
        return values

    def tool(self, call: dict[str, Any]) -> dict[str, Any]:
        """Return a call of a tool; any other message as it is."""
        asked = call.get("params")
        if call.get("method") != "tools/call" or not isinstance(asked, dict):
            return call
        given = asked["arguments"] if isinstance(asked.get("arguments"), dict) else {}
        admitted = {name: self._admit(value, tool=True) for name, value in given.items()}
        return {**call, "params": {**asked, "arguments": admitted}}

    def _data(self, values: Any, inputs: Any) -> list[Any]:
        if not isinstance(values, list) or len(values) != len(inputs):
            raise HTTPException(422, UNFIT)
        return [self._value(component, value) for component, value in zip(inputs, values, strict=True)]

    def _value(self, component: Any, value: Any) -> Any:
        """Return one input; of what is no file for a picture Gradio says no more than that it failed."""
        admitted = self._admit(value)
        is_file = admitted is None or (isinstance(admitted, dict) and "path" in admitted)
        if component.get_block_name() == "image" and not is_file:
            raise HTTPException(422, _NO_FILE.format(label=component.label))
        return admitted

    def _admit(self, value: Any, *, tool: bool = False) -> Any:
        """Return parsed JSON with each file as Gradio knows those that were uploaded.

        For an MCP `tool` a text may be an address, and each file becomes its address on this host: Gradio
        calls itself with it, and would send any file that a dictionary names.
        """
        if tool and isinstance(value, str) and value.startswith(("data:", "http://", "https://")):
            value = {"path": value}
        if isinstance(value, list):
            return [self._admit(item, tool=tool) for item in value]
        if not isinstance(value, dict):
            return value
        meta = value.get("meta")
        if not ("path" in value or "url" in value or (isinstance(meta, dict) and "_type" in meta)):
            return {key: self._admit(item, tool=tool) for key, item in value.items()}
        name = value["orig_name"] if isinstance(value.get("orig_name"), str) else None
        path = self._path(value.get("path"), value.get("url"), name)
        if path is None:
            return None
        if tool:
            return f"http://127.0.0.1{_SERVED}{quote(path)}"
        return {"path": path, "orig_name": name and name[:120], "meta": {"_type": "gradio.FileData"}}

    def _path(self, path: Any, url: Any, name: str | None) -> str | None:
        """Return the path here of what a file of a request is, None for nothing given."""
        if path is None and url is None:
            return None
        for text in (path, url):
            if isinstance(text, str) and text.startswith("data:"):
                try:
                    data = base64.b64decode(text.partition(",")[2], validate=True)
                except ValueError as error:
                    sentence = "A data: URL in this request is damaged; send it again."
                    raise HTTPException(422, sentence) from error
                if len(data) > MOST_FILE:
                    raise HTTPException(413, TOO_LARGE)
                return str(self.files.add_upload(self.client, name, io.BytesIO(data)))
        text = path or url
        if isinstance(text, str) and text.startswith(("http://", "https://")):
            if _SERVED not in text:
                raise HTTPException(422, _ADDRESS)
            text = unquote(text.partition(_SERVED)[2])
        found = self.files.find(text)
        if found is None:
            raise HTTPException(422, _NOT_SENT)
        return str(found)
