"""The pictures to paint from: photo, styles, masks, a start."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Literal

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
from nst.image.files import encode_jpeg
from nst.inputs import Inputs
from nst.page.brush import ROLES, SOURCE, UNREADABLE, Brush, sent_drawing, strokes
from nst.page.components import CropTool, Intake, Strip, picked
from nst.page.gallery import Example, photos, styles
from nst.page.parts import QUIET, Values
from nst.runs.pictures import Source
from nst.runs.storage import NO_ROOM, Upload
from nst.settings import MOST_STYLES

_SMALL, _LONG = 64, 4  # pixels of a side, and times as long as the other, of which a word is said
_PREVIEW = 1024  # pixels on its longest side
CardSource = Literal["upload", "webcam", "clipboard"]


class PictureInputs:
    """The inputs for pictures, in three places of the page."""

    def __init__(self, service: Service) -> None:
        self.service = service

    def add_main(self) -> None:
        """Put photo and style here, with examples of each, and what takes files for all cards."""
        further = [f"style-{number}" for number in range(2, MOST_STYLES + 1)]
        self.intake = Intake(["photo", "style", *further, "start"], elem_id="intake")
        with gr.Row(elem_id="pictures"):
            with gr.Column(min_width=140, elem_classes="card"):
                self.photo = _with_examples("Photo", "photo", photos(), ["upload", "webcam", "clipboard"])
                crop_photo = CropTool("photo", elem_id="crop")
            with gr.Column(min_width=140, elem_classes="card"):
                self.style = _with_examples("Style", "style", styles(), ["upload", "clipboard"])
                crop_style = CropTool("style", elem_id="crop-style")
        self.crops = {crop_photo: self.photo, crop_style: self.style}

    def add_further_styles(self) -> None:
        """Put the places for more styles here."""
        with gr.Row(elem_id="more-styles"):
            self.others = [
                _small(f"Style {number}", f"style-{number}", f"Style picture {number}")
                for number in range(2, MOST_STYLES + 1)
            ]
        examples = styles()
        strip = Strip(
            [(example.title, example.path) for example in examples],
            "further style",
            elem_id="more-examples",
            elem_classes="strip",
        )

        def take(held: Values, event: gr.EventData) -> Values:
            """Put an example into the first free place, or into the last."""
            free = next((other for other in self.others if held[other] is None), self.others[-1])
            index = picked(event, len(examples))
            return {free: gr.skip() if index is None else str(examples[index].path)}

        strip.select(take, set(self.others), self.others, **QUIET)

    def take_files(self, initial: Control) -> None:
        """Begin to take files that are dropped, pasted or chosen, and show what was read of them.

        Args:
            initial: is set when a picture to start from comes: it is there to be used.
        """
        self.start.upload(lambda: "picture", None, initial, **QUIET)
        by_name = {str(card.elem_id): card for card in (*self.named.values(), self.start)}

        async def take(event: gr.EventData, request: gr.Request) -> Values:
            asked = message(event)
            card, file = by_name.get(str(asked.get("card"))), asked.get("file")
            if card is None:
                return {self.intake: gr.skip()}
            try:
                seen, remark = await self.seen(file, client_of(request), alpha=card is self.photo)
            except InputError as error:
                return {self.intake: {"file": file, "taken": False, "message": str(error)}}
            shown: Values = {card: seen, self.intake: {"file": file, "taken": True, "message": remark}}
            return {**shown, initial: "picture"} if card is self.start else shown

        self.intake.upload(
            take, None, [*by_name.values(), initial, self.intake], trigger_mode="multiple", **QUIET
        )

    def read_ahead(self, demo: gr.Blocks) -> None:
        """Begin to decode photo and style when they are chosen: a run's first frame does not wait for it."""
        cards = {self.photo: ("The photo", True), self.style: ("The style picture", False)}

        async def begin(values: Values, request: gr.Request) -> None:
            with contextlib.suppress(InputError):  # a run will tell
                for card, (label, alpha) in cards.items():
                    if (sent := self.sent(values[card], label)) is not None:
                        await self.service.decoder.decode(sent, label, client_of(request), alpha=alpha)

        changes = [demo.load, self.photo.change, self.style.change]
        gr.on(changes, begin, set(cards), None, trigger_mode="multiple", **QUIET)

    async def seen(self, path: Any, client: str, *, alpha: bool) -> tuple[str, str]:
        """Return what a page shows of an upload, which is what was read of it, and a remark on it or "".

        It is read as a run will want it, whose first frame then does not wait for that.

        Args:
            alpha: whether its transparency may be the painting's.

        Raises:
            InputError: it cannot be read.
        """
        files, label = self.service.files, "This file"
        sent = files.sent(path, label)
        pixels, remark = await self.service.decoder.decode(sent, label, client, alpha=alpha)
        preview = await to_thread.run_sync(_preview, pixels)
        try:
            seen = await to_thread.run_sync(files.add_preview, sent, preview)
        except OSError as error:
            raise InputError(NO_ROOM) from error
        return seen, remark or (_hint(pixels) if alpha else "")

    def add_brushes(self) -> None:
        """Put the brushes here that draw masks on the photo and on the style picture."""
        self.brush = Brush("photo", elem_id="brush")
        self.style_brush = Brush("style", SOURCE, elem_id="style-brush")

    def add_start(self) -> None:
        """Put the place for a picture to start from here."""
        self.start = _small("Starting picture", "start", "The picture to start from")

    @property
    def named(self) -> dict[str, Picture]:
        """The inputs that a link can name."""
        others = {f"style_{number}": other for number, other in enumerate(self.others, 2)}
        return {"photo": self.photo, "style": self.style, **others}

    @property
    def all(self) -> list[Block]:
        """All inputs for pictures, the brushes too, in an order that is the same in every process."""
        return [*self.named.values(), self.start, *self.brushes.values()]

    @property
    def brushes(self) -> dict[str, Brush]:
        """The brushes by what they draw on."""
        return {"photo": self.brush, "style": self.style_brush}

    def drawings(self, values: Values) -> dict[str, bytes]:
        """Return what was drawn, as PNG, by what it was drawn on.

        Raises:
            InputError: it is no drawing.
        """
        sent = {over: sent_drawing(values[brush], over) for over, brush in self.brushes.items()}
        return {over: data for over, data in sent.items() if data is not None}

    async def read(self, values: Values, client: str, resume: Image.Image | None) -> Inputs[Source]:
        """Return the pictures to paint from.

        Args:
            resume: a painting to go on with.

        Raises:
            InputError: one is named that was not sent to this host, or the drawing cannot be read.
        """
        drawn = self.drawings(values)
        keep, *regions = await self._masks(drawn, "photo", ROLES, client)
        given: Any = Inputs(
            self.sent(values[self.photo], "The photo"),
            tuple(self.sent(values[each], "The style picture") for each in (self.style, *self.others)),
            keep,
            tuple(regions),
            self.sent(values[self.start], "The picture to start from"),
            resume,
            await self._masks(drawn, "style", SOURCE, client),
        )
        return given

    def own(self, *paths: str | None) -> list[str | None]:
        """Return paths that a page may name as they are, and None for all others."""
        return [path if self.service.files.find(path) else None for path in paths]

    def sent(self, path: str | None, label: str) -> Upload | None:
        """Return the file that a picture input names.

        Raises:
            InputError: it was not sent to this host.
        """
        return None if path is None else self.service.files.sent(path, label)

    async def _masks(
        self, drawn: Mapping[str, bytes], over: str, roles: Mapping[str, str], client: str
    ) -> tuple[Image.Image | None, ...]:
        """Return the masks of a drawing, one for each role."""
        if over not in drawn:
            return (None,) * len(roles)
        try:
            pixels = await self.service.decoder.drawing(drawn[over], "The drawing", client)
        except InputError as error:
            raise InputError(UNREADABLE.format(over=over)) from error
        return await to_thread.run_sync(strokes, pixels, roles)


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


def _preview(pixels: np.ndarray) -> bytes:
    """Return decoded pixels, on white, as a JPEG that a card and the brush can show."""
    if pixels.shape[2] == 4:
        pixels = pixels[..., :3] * pixels[..., 3:] + 1 - pixels[..., 3:]
    if pixels.dtype != np.uint8:
        pixels = (pixels.clip(0, 1) * 255).round().astype(np.uint8)
    image = Image.fromarray(pixels)
    image.thumbnail((_PREVIEW, _PREVIEW), Image.Resampling.BICUBIC)
    return encode_jpeg(np.asarray(image), quality=90)


def _with_examples(label: str, name: str, examples: list[Example], sources: list[CardSource]) -> Picture:
    """Return a picture input, with its examples under it."""
    gr.HTML(f"<h2>{label}</h2>")
    picture = Picture(
        str(examples[0].path),
        label=label,
        show_label=False,
        sources=sources,
        type="filepath",
        buttons=[],
        elem_id=name,
        height=168,
        alt_text=f"The {name} picture",
        webcam_options=gr.WebcamOptions(mirror=False),  # the viewfinder is, by page.css
    )
    strip = Strip(
        [(example.title, example.path) for example in examples],
        name,
        elem_id=f"{name}-examples",
        elem_classes="strip",
    )

    def take(event: gr.EventData) -> Any:
        index = picked(event, len(examples))
        return gr.skip() if index is None else str(examples[index].path)

    strip.select(take, None, picture, **QUIET)
    return picture


def _small(label: str, name: str, alt: str) -> Picture:
    """Return a small picture input without examples of its own."""
    return Picture(
        label=label,
        sources=["upload", "clipboard"],
        type="filepath",
        buttons=[],
        elem_id=name,
        height=104,
        min_width=80,
        alt_text=alt,
    )
