"""The files that a request names or carries: only what was sent to this host comes in.

Gradio checks what is marked as a file, fetches what is an address, in any argument, and hands on what is
neither as it came. Here everything that looks like a file is taken for one, and nothing is fetched.
"""

from __future__ import annotations

import base64
import binascii
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
    if not _is_file(value):
        return {key: admit(files, item, client, tool=tool) for key, item in value.items()}
    path = _path(files, value, client)
    if path is None:
        return None
    if tool:
        return f"http://127.0.0.1{_SERVED}{quote(path)}"
    name = value.get("orig_name")
    return {
        "path": path,
        "orig_name": name[:120] if isinstance(name, str) else None,
        "meta": {"_type": "gradio.FileData"},
    }


def _path(files: Files, value: dict[str, Any], client: str) -> str | None:
    """Return the path of what a file of a request is, None for nothing given."""
    given = [value.get("path"), value.get("url")]
    if given == [None, None]:
        return None
    for text in given:
        if isinstance(text, str) and text.startswith("data:"):
            return _keep(files, text, value.get("orig_name"), client)
    text = given[0] or given[1]
    if isinstance(text, str) and text.startswith(("http://", "https://")):
        if _SERVED not in text:
            raise HTTPException(422, _ADDRESS)
        text = unquote(text.partition(_SERVED)[2])
    path = files.find(text)
    if path is None:
        raise HTTPException(422, _NOT_SENT)
    return str(path)


def _keep(files: Files, url: str, name: Any, client: str) -> str:
    try:
        data = base64.b64decode(url.partition(",")[2], validate=True)
    except (binascii.Error, ValueError) as error:
        raise HTTPException(422, "A data: URL in this request is damaged; send it again.") from error
    if len(data) > MOST_FILE:
        raise HTTPException(413, TOO_LARGE)
    return str(files.add_upload(client, name if isinstance(name, str) else None, io.BytesIO(data)))


def _is_file(value: dict[str, Any]) -> bool:
    meta = value.get("meta")
    return "path" in value or "url" in value or (isinstance(meta, dict) and "_type" in meta)
