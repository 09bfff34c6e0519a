"""A part of photo or style, or either of them turned, in the place of it."""

from __future__ import annotations

import io
import math
from typing import Any

import gradio as gr
import numpy as np
from anyio import to_thread

from nst.errors import InputError
from nst.gradio_faults.events import message
from nst.gradio_faults.inputs import Picture
from nst.guard.clients import client_of
from nst.image.decoding import MIN_SIDE
from nst.image.picture_files import encode_jpeg, encode_png
from nst.page.components import element
from nst.page.parts import QUIET, Values
from nst.page.parts.pictures import PictureInputs, eight_bit
from nst.runs.storage import NO_ROOM


def add_crop_tool(pictures: PictureInputs, card: Picture, name: str) -> None:
    """Put here what cuts and turns the picture of a card.

    Its `submit` tells which part, and by what word it was "asked"; its value is the answer to that: the word,
    and a "message", "" if it was done.
    """
    service, decoder = pictures.service, pictures.service.decoder
    kind, has_alpha = str(card.elem_id), card is pictures.photo
    label = f"The {kind} picture"
    tool = element("crop", "crop", elem_id=name, of=kind)

    async def cut(values: Values, event: gr.EventData, request: gr.Request) -> Values:
        wanted = message(event)
        answer, client = {"asked": str(wanted.get("asked"))[:40], "message": ""}, client_of(request)
        try:
            sent = pictures.sent(values[card], label)
            if sent is None:
                raise InputError(f"Add a {kind} first.")
            if has_alpha and (await decoder.describe(sent, label, client))[1]:
                raise InputError("A clip cannot be cropped or rotated here; do that before you upload it.")
            async with service.side_work.place(client):
                pixels, _ = await decoder.decode(sent, label, client, alpha=has_alpha)
                suffix, data = await to_thread.run_sync(_cut, pixels, wanted.get("box"), wanted.get("turns"))
                file = f"{sent.short_name}{suffix}"
                path = await to_thread.run_sync(service.files.add_upload, client, file, io.BytesIO(data))
                seen, _ = await pictures.seen(str(path), client, alpha=has_alpha)
        except InputError as error:
            return {tool: {**answer, "message": str(error)}}
        except OSError:
            return {tool: {**answer, "message": NO_ROOM}}
        return {card: seen, tool: answer}

    tool.submit(cut, {card}, [card, tool], **QUIET)


def _cut(pixels: np.ndarray, box: Any, turns: Any) -> tuple[str, bytes]:
    """Return `part` of decoded pixels as a file, after the ending of its name."""
    found = eight_bit(part(pixels, box, turns))
    return (".png", encode_png(found)) if found.shape[2] == 4 else (".jpg", encode_jpeg(found, quality=95))


def part(pixels: np.ndarray, box: Any, turns: Any) -> np.ndarray:
    """Return (H, W, C) pixels turned to the right by quarters, then cut.

    The box is left, top, right and bottom in shares of the turned picture. Raises InputError for what is no
    such part, or one too small to paint.
    """
    numbers = box if isinstance(box, list) and len(box) == 4 else [math.nan]
    if type(turns) is not int or not all(type(n) in (int, float) and math.isfinite(n) for n in numbers):
        raise InputError("Which part to keep cannot be read; choose it again.")
    turned = np.rot90(pixels, -turns % 4)
    height, width = turned.shape[:2]
    left, top, right, bottom = (min(max(float(each), 0.0), 1.0) for each in box)
    columns = slice(round(left * width), round(right * width))
    rows = slice(round(top * height), round(bottom * height))
    found = np.ascontiguousarray(turned[rows, columns])
    if min(found.shape[:2]) < MIN_SIDE:
        raise InputError(f"That part is too small to paint; keep at least {MIN_SIDE} pixels on each side.")
    return found
