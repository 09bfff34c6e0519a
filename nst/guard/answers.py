"""What goes out: files, the sentences for what is not let through, and what heads say to browsers."""

from __future__ import annotations

import logging
import mimetypes
import uuid
from collections.abc import Iterable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse
from starlette.types import Scope

from nst.guard.clients import Heads
from nst.runs.storage import FULL, NO_ROOM, Files

log = logging.getLogger(__name__)

# What a browser may show in place; all else it saves.
_SHOWN = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif", "video/mp4")

# Gradio makes functions of texts ("unsafe-eval") and writes styles into the page. Who may frame it is left
# open: it is meant to be embedded.
_PAGE = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}' 'unsafe-eval'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; connect-src 'self';"
    " worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'"
)
# Nothing but the page is ever shown as a page: whatever else a browser is led to can run nothing.
_ELSEWHERE = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; media-src 'self'; sandbox"


def refusal(status: int, sentence: str) -> JSONResponse:
    """Return an answer in the forms that Gradio's page and its clients look for."""
    detail: Any = sentence
    if status == 422:  # the one status of which Gradio's clients read the words
        detail = [
            {"__type__": "validate", "is_valid": False, "parameter_name": "request", "message": sentence}
        ]
    return JSONResponse({"error": sentence, "detail": detail}, status)


def tool_error(call: dict[str, Any], sentence: str) -> JSONResponse:
    """Return what MCP calls the result of a tool that could not do what it was asked."""
    number = call.get("id") if isinstance(call.get("id"), int | str) else None
    result = {"content": [{"type": "text", "text": sentence}], "isError": True}
    return JSONResponse({"jsonrpc": "2.0", "id": number, "result": result})


def reason(error: Exception, scope: Scope) -> tuple[int, str]:
    """Return status and sentence of what went wrong; what nobody foresaw is noted in the log."""
    if isinstance(error, HTTPException):
        return error.status_code, error.detail
    number = uuid.uuid4().hex[:8]
    log.error("%s %s, error %s: %r", scope["method"], scope["path"][:100], number, error)
    if isinstance(error, OSError) and error.errno in FULL:
        return 507, NO_ROOM
    return 500, f"Something broke here (error {number}); try again."


def outgoing(headers: Iterable[tuple[bytes, bytes]], nonce: str) -> Heads:
    """Return the headers of a response; `nonce` is that of the page's scripts, "" if it is not the page."""
    ours = {
        b"x-content-type-options": b"nosniff",
        b"referrer-policy": b"strict-origin-when-cross-origin",
        b"content-security-policy": (_PAGE.format(nonce=nonce) if nonce else _ELSEWHERE).encode(),
    }
    return [*(pair for pair in headers if pair[0].lower() not in ours), *ours.items()]


def served(files: Files, name: str) -> FileResponse:
    """Return the response that is a file, or raise HTTPException if nobody sent or made it here."""
    path = files.find(name)
    if path is None or path.is_symlink() or not path.is_file():
        raise HTTPException(403, "There is no such file here.")
    kind = mimetypes.guess_type(path.name)[0]
    shown = kind in _SHOWN
    return FileResponse(
        path,
        media_type=kind if shown else "application/octet-stream",
        # What a page says that a picture is to be saved as counts only if nothing is said of it here.
        filename=None if shown else path.name,
        headers={"cache-control": "private, max-age=3600"},
    )
