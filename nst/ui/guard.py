"""What stands between the open internet and Gradio: sizes, closed doors, headers, and a sign of life."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

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
        """Refuse, answer, or hand on with the body counted and headers added."""
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
        received, started = 0, False

        async def counted() -> dict:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise _TooLargeError
            return message

        async def with_headers(message: dict) -> None:
            nonlocal started
            if received > most and not started:
                return  # what the app makes of a body that breaks off
            if message["type"] == "http.response.start":
                started = True
                message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
            await send(message)

        with contextlib.suppress(_TooLargeError):
            await self.app(scope, counted, with_headers)
        if received > most and not started:
            await _answer(send, 413, too_large)


async def _answer(send: Any, status: int, told: dict[str, Any]) -> None:
    body = json.dumps(told).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *_HEADERS,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
