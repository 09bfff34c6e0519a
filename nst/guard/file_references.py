"""The files that a request names or carries: only what was sent to this host comes in.

Gradio checks what is marked as a file, fetches what is an address, in any argument, and hands on what is
neither as it came. Here everything that looks like a file is taken for one, and nothing is fetched.
"""

from __future__ import annotations

import base64
import io
from typing import Any
from urllib.parse import quote, unquote

from starlette.exceptions import HTTPException

from nst.guard.budgets import MOST_FILE
from nst.guard.routes import API
from nst.runs.storage import Files

TOO_LARGE = f"A file may have {MOST_FILE // 2**20} MB at most; make it smaller first."
_SERVED = f"{API}/file="
_NOT_SENT = "A file in this request is not one that was sent here; upload it first, or send a data: URL."
_ADDRESS = "Nothing is fetched from an address here; send the file itself."


def admit(files: Files, value: Any, client: str, *, tool: bool = False) -> Any:
    """Return parsed JSON with each file as Gradio knows those that were uploaded.

    Args:
        value: anything that JSON can say.
        tool: it is for an MCP tool, where a text may be an address, and each file becomes its address on
            this very host: Gradio calls itself with it, and would send any file that a dictionary names.

    Raises:
        HTTPException: it names a file that was not sent here, or an address.
        OSError: there is no room for what it carries.
    """
    if tool and isinstance(value, str) and value.startswith(("data:", "http://", "https://")):
        value = {"path": value}
    if isinstance(value, list):
        return [admit(files, item, client, tool=tool) for item in value]
    if not isinstance(value, dict):
        return value
    meta = value.get("meta")
    if not ("path" in value or "url" in value or (isinstance(meta, dict) and "_type" in meta)):
        return {key: admit(files, item, client, tool=tool) for key, item in value.items()}
    name = value["orig_name"] if isinstance(value.get("orig_name"), str) else None
    path = _path(files, value.get("path"), value.get("url"), name, client)
    if path is None:
        return None
    if tool:
        return f"http://127.0.0.1{_SERVED}{quote(path)}"
    return {"path": path, "orig_name": name and name[:120], "meta": {"_type": "gradio.FileData"}}


def _path(files: Files, path: Any, url: Any, name: str | None, client: str) -> str | None:
    """Return the path here of what a file of a request is, None for nothing given."""
    if path is None and url is None:
        return None
    for text in (path, url):
        if isinstance(text, str) and text.startswith("data:"):
            return _keep(files, text, name, client)
    text = path or url
    if isinstance(text, str) and text.startswith(("http://", "https://")):
        if _SERVED not in text:
            raise HTTPException(422, _ADDRESS)
        text = unquote(text.partition(_SERVED)[2])
    found = files.find(text)
    if found is None:
        raise HTTPException(422, _NOT_SENT)
    return str(found)


def _keep(files: Files, url: str, name: str | None, client: str) -> str:
    """Keep what a data: URL carries as an upload; return its path."""
    try:
        data = base64.b64decode(url.partition(",")[2], validate=True)
    except ValueError as error:
        raise HTTPException(422, "A data: URL in this request is damaged; send it again.") from error
    if len(data) > MOST_FILE:
        raise HTTPException(413, TOO_LARGE)
    return str(files.add_upload(client, name, io.BytesIO(data)))
