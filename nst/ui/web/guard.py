"""What stands between the open internet and Gradio: sizes, closed doors, headers, and a sign of life."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from nst.ui.storage import FULL, NO_ROOM

log = logging.getLogger(__name__)

HEALTH = "/health"
# A request of several pictures as data URLs; uploads of files have Gradio's own limit for each.
MOST_JSON = 64 * 2**20
MOST_UPLOAD = 256 * 2**20
# Doors of Gradio's that are not used here: links that keep uploads for anybody, conversion of recordings.
_CLOSED = ("/gradio_api/deep_link", "/gradio_api/process_recording", "/gradio_api/vibe", "/monitoring")
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
]
# Gradio tells a request that does not fit from a fault of its own in neither status nor words.
_UNFIT = "This request is not what is taken here; Use via API or MCP, at the page's foot, says what is."


class _TooLargeError(Exception):
    pass


class Guard:
    """ASGI middleware that answers for what must not reach the app.

    Args:
        app: what it stands before.
        counts: returns how many runs paint and how many wait.
    """

    def __init__(self, app: Any, counts: Callable[[], tuple[int, int]]) -> None:
        self.app, self.counts = app, counts

    async def __call__(self, scope: dict, receive: Any, send: Any) -> None:
        """Refuse, answer, or hand on with the body counted, headers added and faults put into words."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"]
        if path == HEALTH:
            painting, waiting = self.counts()
            await _answer(send, 200, {"status": "ok", "painting": painting, "waiting": waiting})
            return
        if path.startswith(_CLOSED):
            await _answer(send, 404, {"detail": "There is nothing here."})
            return
        most = MOST_UPLOAD if path.endswith("/upload") else MOST_JSON
        too_large = {"detail": f"That is too much at once; send at most {most // 2**20} MB."}
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > most:
            await _answer(send, 413, too_large)
            return
        received, started, unfit = 0, False, False

        async def counted() -> dict:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise _TooLargeError
            return message

        async def with_headers(message: dict) -> None:
            nonlocal started, unfit
            if message["type"] == "http.response.start":
                unfit = scope["method"] == "POST" and message["status"] == 500
            if unfit or (received > most and not started):
                return  # what the app makes of what it cannot use, or of a body that breaks off
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
            await send(message)

        full = False
        try:
            await self.app(scope, counted, with_headers)
        except _TooLargeError:
            pass
        except Exception as error:
            if started or scope["method"] != "POST":
                raise
            unfit, full = True, isinstance(error, OSError) and error.errno in FULL
            log.warning("%r refused: %r", path[:100], error)
        if started:
            return
        if received > most:
            await _answer(send, 413, too_large)
        elif full:
            await _answer(send, 507, {"detail": NO_ROOM})
        elif unfit:
            await _answer(send, 422, {"detail": _UNFIT})


async def _answer(send: Any, status: int, told: dict[str, Any]) -> None:
    body = json.dumps(told).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *_HEADERS,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
