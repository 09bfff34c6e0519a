"""The files that a request names or carries: only what was sent to this host comes in."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any
from urllib.parse import quote, unquote

from nst.guard.bodies import RefusedError
from nst.guard.routes import API
from nst.runs.storage import Files

MOST_FILE = 40 * 2**20
TOO_LARGE = f"A file may have {MOST_FILE // 2**20} MB at most; make it smaller first."
_SERVED = f"{API}/file="
_NOT_SENT = "A file in this request is not one that was sent here; upload it first, or send a data: URL."
_ADDRESS = "Nothing is fetched from an address here; send the file itself."


class FileReferences:
    """Lets files of requests in.

    Gradio checks what is marked as a file, fetches what is an address, in any argument, and hands on what is
    neither as it came. Here everything that looks like a file is taken for one, and nothing is fetched.
    """

    def __init__(self, files: Files) -> None:
        self.files = files

    def admit(self, value: Any, client: str) -> Any:
        """Return parsed JSON with each file as Gradio knows those that were uploaded.

        Args:
            value: anything that JSON can say.

        Raises:
            RefusedError: it names a file that was not sent here, or an address.
            OSError: there is no room for what it carries.
        """
        if isinstance(value, list):
            return [self.admit(item, client) for item in value]
        if not isinstance(value, dict):
            return value
        if not _is_file(value):
            return {key: self.admit(item, client) for key, item in value.items()}
        path = self._path(value, client)
        if path is None:
            return None
        name = value.get("orig_name")
        return {
            "path": path,
            "orig_name": name[:120] if isinstance(name, str) else None,
            "meta": {"_type": "gradio.FileData"},
        }

    def admit_tool(self, arguments: dict[str, Any], client: str) -> dict[str, Any]:
        """Return the arguments of an MCP tool with each file as its address on this very host.

        Gradio calls itself with them, and would send any file of this machine that a dictionary names.

        Raises:
            RefusedError: as for `admit`.
            OSError: there is no room.
        """
        admitted = {}
        for name, value in arguments.items():
            if isinstance(value, str) and value.startswith(("data:", "http://", "https://")):
                value = {"path": value}
            if isinstance(value, dict) and _is_file(value):
                path = self._path(value, client)
                admitted[name] = None if path is None else f"http://127.0.0.1{_SERVED}{quote(path)}"
            else:
                admitted[name] = self.admit(value, client)
        return admitted

    def _path(self, value: dict[str, Any], client: str) -> str | None:
        """Return the path of what a file of a request is, None for nothing given."""
        given = [value.get("path"), value.get("url")]
        if given == [None, None]:
            return None
        for text in given:
            if isinstance(text, str) and text.startswith("data:"):
                return self._keep(text, value.get("orig_name"), client)
        text = given[0] or given[1]
        if isinstance(text, str) and text.startswith(("http://", "https://")):
            if _SERVED not in text:
                raise RefusedError(422, _ADDRESS)
            text = unquote(text.partition(_SERVED)[2])
        path = self.files.find(text)
        if path is None:
            raise RefusedError(422, _NOT_SENT)
        return str(path)

    def _keep(self, url: str, name: Any, client: str) -> str:
        try:
            data = base64.b64decode(url.partition(",")[2], validate=True)
        except (binascii.Error, ValueError) as error:
            raise RefusedError(422, "A data: URL in this request is damaged; send it again.") from error
        if len(data) > MOST_FILE:
            raise RefusedError(413, TOO_LARGE)
        return str(self.files.add_upload(client, name if isinstance(name, str) else None, io.BytesIO(data)))


def _is_file(value: dict[str, Any]) -> bool:
    meta = value.get("meta")
    return "path" in value or "url" in value or (isinstance(meta, dict) and "_type" in meta)
