"""What comes with a request, as far as it is small, quick and plain enough to be read."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Callable, Iterable
from typing import Any

from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

from nst.guard.budgets import MOST_FILE, TOO_LARGE
from nst.runs.storage import Files

# Brackets, and commas, that no request has: what is parsed costs by its parts, a picture is one of them.
_MOST_BRACKETS, _MOST_COMMAS = 500, 5000
# In each so many seconds that a body is waited for, so many bytes have to come.
PERIOD, LEAST = 15.0, 240_000
_MOST_FILES = 12  # of a form
_SLOW = "That came too slowly; send it again, or something smaller."


def bounded(
    receive: Receive, most: int, headers: Iterable[tuple[bytes, bytes]], came: Callable[[int], None]
) -> Receive:
    """Return a way to receive a body that raises HTTPException once it is too large or too slow.

    This does so itself if the head alone says that the body has more than `most` bytes. `came` is called, in
    a thread, with how many bytes have come, and with what takes that back at the end.
    """
    limit = f"{most // 2**20} MB" if most >= 2**20 else f"{most // 2**10} KB"
    too_large = HTTPException(413, f"That is too much at once; send at most {limit}.")
    length = dict(headers).get(b"content-length", b"0")
    if not (length.isdigit() and len(length) < 20 and int(length) <= most):
        raise too_large
    received, complete = 0, False
    left, before = PERIOD, 0  # of the period, and what had come when it began

    async def take() -> Message:
        nonlocal received, complete, left, before
        if complete:
            return await receive()
        began = time.monotonic()
        try:
            message = await asyncio.wait_for(receive(), left)
        except asyncio.TimeoutError as error:
            raise HTTPException(408, _SLOW) from error
        size = len(message.get("body", b""))
        received += size
        if received > most:
            raise too_large
        left -= time.monotonic() - began
        if left <= 0:
            if received - before < LEAST:
                raise HTTPException(408, _SLOW)
            left, before = PERIOD, received
        complete = message["type"] != "http.request" or not message.get("more_body")
        change = size - received if complete else size
        if change:
            await to_thread.run_sync(came, change)  # it may have to remove what is oldest
        return message

    return take


def _finite(number: str) -> float:
    # What is not finite is no JSON, and nothing that Gradio could pass on.
    if not math.isfinite(value := float(number)):
        raise ValueError(number)
    return value


def parse(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a body is, or raise HTTPException: it is none, or made to be expensive."""
    if body.count(b"[") + body.count(b"{") > _MOST_BRACKETS or body.count(b",") > _MOST_COMMAS:
        raise HTTPException(413, "That has more parts than anything that is asked for here.")
    try:
        value = json.loads(body, parse_constant=_finite, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "The body of this request is not JSON; send one object.") from error
    if not isinstance(value, dict):
        raise HTTPException(422, "The body of this request is not a JSON object; send one.")
    return value


async def take_upload(files: Files, request: Request, client: str) -> list[str]:
    """Keep the files of a form; return their paths, which is what Gradio's own route answers.

    Gradio's writes each file into the cache at once, and leaves it there if the form breaks off, is too large
    or names it otherwise. Starlette's lies in files that have no name, and are gone with the request.
    Raises HTTPException for what is no form of files, ClientDisconnect if it broke off, OSError for no room.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise HTTPException(400, "An upload is a form with files (multipart/form-data).")
    try:
        async with request.form(max_files=_MOST_FILES, max_fields=_MOST_FILES, max_part_size=2**16) as form:
            sent = [one for one in form.getlist("files") if not isinstance(one, str)]
            if any((one.size or 0) > MOST_FILE for one in sent):
                raise HTTPException(413, TOO_LARGE)
            paths = [
                await to_thread.run_sync(files.add_upload, client, one.filename, one.file) for one in sent
            ]
    # Of a form that its parser did not foresee, or did.
    except (HTTPException, KeyError, ValueError, AssertionError) as error:
        if isinstance(error, HTTPException) and error.status_code != 400:
            raise
        raise HTTPException(400, "This form cannot be read; send the files in fields named files.") from error
    if not paths:
        raise HTTPException(400, "There is no file in this form; send it in a field named files.")
    return [str(path) for path in paths]
