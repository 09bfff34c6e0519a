"""The pictures to paint from: photo, styles, masks, a start."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from anyio import to_thread
from gradio.blocks import Block
from PIL import Image

from nst.errors import InputError
from nst.gradio_faults.events import message
from nst.gradio_faults.inputs import Control, Picture
from nst.guard.clients import client_of
from nst.guard.service import Service
from nst.image.picture_files import encode_jpeg
from nst.inputs import Inputs
from nst.page.brush import ROLES, SOURCE, sent_drawing, strokes
from nst.page.components import element, picked
from nst.page.gallery import photos, place, styles, title
from nst.page.parts import QUIET, Values
from nst.page.static import on_load
from nst.runs.decode_worker import MOST_DRAWN
from nst.runs.decoder import Moving
from nst.runs.pictures import Source
from nst.runs.storage import NO_ROOM, Upload
from nst.settings import MOST_STYLES

_SMALL, _LONG = 64, 4  # pixels of a side, and times as long as the other, of which a word is said
_PREVIEW = 1024  # pixels on its longest side
# What the brush does on each picture.
_ROLES = {"photo": ROLES, "style": SOURCE}


class PictureInputs:
    """The inputs for pictures, in three places of the page."""

    def __init__(self, service: Service) -> None:
        self.service = service
        main: dict[str, Any] = {"show_label": False, "height": 168}
        small: dict[str, Any] = {"height": 104, "min_width": 80}
        # What is seen while it films is mirrored, by page.css.
        camera: dict[str, Any] = {"webcam_options": gr.WebcamOptions(mirror=False)}
        camera["sources"] = ["upload", "webcam", "clipboard"]
        self.photo = _card("Photo", "photo", "The photo picture", value=str(photos()[0]), **main, **camera)
        self.style = _card("Style", "style", "The style picture", value=str(styles()[0]), **main)
        self.others = [
            _card(f"Style {number}", f"style-{number}", f"Style picture {number}", **small)
            for number in range(2, MOST_STYLES + 1)
        ]
        self.start = _card("Starting picture", "start", "The picture to start from", **small)
        # By the names that a link has for them, and brushes by what they draw on.
        self.named = {"photo": self.photo, "style": self.style}
        self.named |= {f"style_{number}": other for number, other in enumerate(self.others, 2)}
        brush = partial(element, "brush", "brush", render=False, longest=MOST_DRAWN)
        self.brushes = {
            "photo": brush(elem_id="brush", over="photo", roles=ROLES),
            "style": brush(elem_id="style-brush", over="style", roles=SOURCE),
        }
        # In an order that is the same in every process.
        self.all: list[Block] = [*self.named.values(), self.start, *self.brushes.values()]

    def add_main(self, card: Picture, examples: Sequence[Path]) -> None:
        gr.HTML(f"<h2>{card.label}</h2>")
        card.render()
        _add_examples(examples, str(card.elem_id), [card], f"{card.elem_id}-examples")

    def add_further_styles(self) -> None:
        with gr.Row(elem_id="more-styles"):
            for other in self.others:
                other.render()
        _add_examples(styles(), "further style", self.others, "more-examples")

    def add_intake(self, initial: Control) -> None:
        """Put here what takes files that are dropped, pasted or chosen, and shows what was read of them.

        Its `upload` tells "card" and "file", its value is the answer to that: which "file", whether it was
        "taken", and the "message" about it. A picture to start from sets `initial`: it is there to be used.
        """
        by_name = {str(card.elem_id): card for card in (*self.named.values(), self.start)}
        # What is pasted anywhere is for the first of the cards.
        intake = gr.HTML(
            html_template="", js_on_load=on_load("intake"), elem_id="intake", cards=list(by_name)
        )

        async def take(event: gr.EventData, request: gr.Request) -> Values:
            asked = message(event)
            card, file = by_name.get(str(asked.get("card"))), asked.get("file")
            if card is None:
                return {intake: gr.skip()}
            try:
                seen, remark = await self.seen(file, client_of(request), alpha=card is self.photo)
            except InputError as error:
                return {intake: {"file": file, "taken": False, "message": str(error)}}
            shown: Values = {card: seen, intake: {"file": file, "taken": True, "message": remark}}
            return {**shown, initial: "picture"} if card is self.start else shown

        intake.upload(take, None, [*by_name.values(), initial, intake], trigger_mode="multiple", **QUIET)

    async def seen(self, path: Any, client: str, *, alpha: bool) -> tuple[str, str]:
        """Return what a page shows of an upload, which is what was read of it, and a remark on it or "".

        It is read as a run will want it, whose first frame then does not wait for that; `alpha` says whether
        its transparency may be the painting's. Raises InputError if it cannot be read.
        """
        files, decoder, label = self.service.files, self.service.decoder, "This file"
        sent = files.sent(path, label)
        moving = (await decoder.describe(sent, label, client))[1] if alpha else None
        pixels, remark = await decoder.decode(sent, label, client, alpha=alpha)
        try:
            seen = await to_thread.run_sync(lambda: files.add_preview(sent, _preview(pixels)))
        except OSError as error:
            raise InputError(NO_ROOM) from error
        if moving:
            return seen, _part_of(moving)
        return seen, remark or (_hint(pixels) if alpha else "")

    async def read(
        self, values: Values, client: str, resume: Image.Image | None
    ) -> tuple[Inputs[Source], dict[str, bytes]]:
        """Return the pictures to paint from, and the PNG of what was drawn by what it was drawn on.

        Raises InputError for a picture that was not sent to this host, or a drawing that cannot be read.
        """
        drawings: dict[str, bytes] = {}
        masks: dict[str, Any] = {over: (None,) * len(roles) for over, roles in _ROLES.items()}
        for over, brush in self.brushes.items():
            try:
                if (drawn := sent_drawing(values[brush])) is not None:
                    drawings[over] = drawn
                    pixels = await self.service.decoder.drawing(drawn, "The drawing", client)
                    masks[over] = await to_thread.run_sync(strokes, pixels, _ROLES[over])
            except InputError as error:
                sentence = f"What was drawn on the {over} cannot be read; clear it and draw again."
                raise InputError(sentence) from error
        keep, *regions = masks["photo"]
        given: Any = Inputs(
            self.sent(values[self.photo], "The photo"),
            tuple(self.sent(values[each], "The style picture") for each in (self.style, *self.others)),
            keep,
            tuple(regions),
            self.sent(values[self.start], "The picture to start from"),
            resume,
            masks["style"],
        )
        return given, drawings

    def own(self, values: Values) -> dict[str, str | None]:
        """Return the paths of the pictures that have names, None for one that this page may not name."""
        given = {name: values[card] for name, card in self.named.items() if card in values}
        return {name: path if self.service.files.find(path) else None for name, path in given.items()}

    def sent(self, path: str | None, label: str) -> Upload | None:
        """Return the file that a picture input names, or raise InputError: it was not sent to this host."""
        return None if path is None else self.service.files.sent(path, label)


def _part_of(moving: Moving) -> str:
    painted = float(moving.count / moving.rate)
    if moving.seconds is None or painted > moving.seconds - 0.5:
        return ""
    return f"The first {painted:.1f} s of this clip are painted: {moving.count} frames."


def _hint(pixels: np.ndarray) -> str:
    """Return what is better known of a photo before it is painted, "" if nothing is."""
    height, width = pixels.shape[:2]
    if max(height, width) < _SMALL:
        return f"This picture has only {width} × {height} pixels; a larger one paints sharper."  # noqa: RUF001
    if max(height, width) > _LONG * min(height, width):
        return "This picture is very long; crop it to see more detail."
    if pixels.shape[2] == 4 and pixels[..., 3].min() < pixels[..., 3].max():
        return "Transparent parts become white, unless you choose Keep transparency under Areas."
    return ""


def eight_bit(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype == np.uint8:
        return pixels
    return (pixels.clip(0, 1) * 255).round().astype(np.uint8)


def _preview(pixels: np.ndarray) -> bytes:
    """Return decoded pixels, on white, as a JPEG that a card and the brush can show."""
    image = Image.fromarray(eight_bit(pixels))
    image.thumbnail((_PREVIEW, _PREVIEW), Image.Resampling.BICUBIC)
    return encode_jpeg(np.asarray(image), quality=90)


def _card(label: str, name: str, alt: str, **more: Any) -> Picture:
    common = {"sources": ["upload", "clipboard"], "type": "filepath", "buttons": [], "render": False}
    return Picture(label=label, elem_id=name, alt_text=alt, **{**common, **more})


def _add_examples(examples: Sequence[Path], of: str, places: list[Picture], name: str) -> None:
    """Put examples here; one that is clicked goes into the first free place, or into the last.

    Gradio's own example gallery gives its pictures no names, which leaves screen readers with nothing. Here
    they are called an example `of`, which is the element id of the place if there is one only.
    """
    pictures = [{"name": each.stem, "title": title(each), "place": place(each)} for each in examples]
    strip = element("examples", "select", elem_id=name, elem_classes="strip", pictures=pictures, of=of)

    def take(held: Values, event: gr.EventData) -> Values:
        free = next((place for place in places if held[place] is None), places[-1])
        index = picked(event, len(examples))
        return {free: gr.skip() if index is None else str(examples[index])}

    strip.select(take, set(places), places, **QUIET)
