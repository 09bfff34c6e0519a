"""The way back: what is answered to a request."""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from typing import Any

from nst.guard import headers


class Answer:
    """Every answer gets the headers of this host, and is begun once."""

    def __init__(self, send: Any) -> None:
        self._send = send
        self.nonce = ""  # of the page's scripts
        self.unfit = ""  # what a plain 500 of the app's is replaced by
        self._started = self._replaced = False

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Send what the app answers."""
        if message["type"] == "http.response.start":
            if self.unfit and message["status"] == 500:
                self._replaced = True
                await self.refuse(422, self.unfit)
            if self._started:
                return
            self._started = True
            message = {**message, "headers": headers.outgoing(message.get("headers", ()), self.nonce)}
        elif self._replaced:
            return
        await self._send(message)

    async def refuse(self, status: int, sentence: str) -> None:
        """Answer with a sentence, in the forms that Gradio's page and its clients look for."""
        if self._started:
            return
        detail: Any = sentence
        if status == 422:  # the one status of which Gradio's clients read the words
            detail = [
                {"__type__": "validate", "is_valid": False, "parameter_name": "request", "message": sentence}
            ]
        await self.json(status, {"error": sentence, "detail": detail})

    async def json(self, status: int, body: Any) -> None:
        """Answer with JSON."""
        await self.body(status, json.dumps(body).encode(), b"application/json")

    async def body(self, status: int, data: bytes, kind: bytes) -> None:
        """Answer with bytes."""
        head = [(b"content-type", kind), (b"content-length", str(len(data)).encode())]
        self._started = True
        start = {"type": "http.response.start", "status": status, "headers": headers.outgoing(head)}
        await self._send(start)
        await self._send({"type": "http.response.body", "body": data})
