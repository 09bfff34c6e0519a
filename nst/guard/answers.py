"""The sentences that a request which is not let through is answered with."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import Scope

from nst.runs.storage import FULL, NO_ROOM

log = logging.getLogger(__name__)


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
