"""Links to the page's state, and settings out of a painting."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.blocks import Block

from nst.errors import InputError
from nst.gradio_faults.inputs import PathOfFile
from nst.guard.clients import client_of
from nst.image.metadata import settings_in
from nst.page import status
from nst.page.links import from_query, to_query
from nst.page.parts import QUIET, Values
from nst.page.parts.knobs import Knobs
from nst.page.parts.pictures import PictureInputs
from nst.page.static import call
from nst.settings import Settings

# Pixels on the longest side, and the seconds in which as many are painted wherever a page begins with them.
_SHARP, _SOON = 768, 15.0


class Share:
    """A link, the snippets that embed it, and the way back."""

    def __init__(self) -> None:
        self.make_link = gr.Button("Make a link to this page", size="sm", elem_id="make-link")
        self.link, self.snippet, self.component = (
            gr.Textbox(label=label, info=info, buttons=["copy"], interactive=False, elem_id=name)
            for name, label, info in (
                ("link", "Link", "Settings and examples; your own pictures are never part of it."),
                (
                    "snippet",
                    "Embed (iframe)",
                    "Canvas, two pictures and the button, 640 x 480.",
                ),
                (
                    "component-snippet",
                    "Embed (web component)",
                    "The same without a frame.",
                ),
            )
        )
        self.painting = PathOfFile(
            label="Load settings from a saved PNG",
            file_types=[".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"],
            height=110,
            elem_id="settings-from",
        )
        self.taken = gr.HTML(elem_id="taken")

    def listen(self, demo: gr.Blocks, pictures: PictureInputs, knobs: Knobs) -> Any:
        """Make links of what the page shows, and bring it into the state that a link names.

        Returns:
            What is done then, whose `then` tells that the page is in that state.
        """
        self.pictures, self.knobs = pictures, knobs
        named: list[Block] = list(pictures.named.values())
        self.make_link.click(self._link, {*named, *knobs.all}, self.link, **QUIET).then(
            None, self.link, [self.link, self.snippet, self.component], js=call("snippets")
        )
        demo.load(None, None, None, js=call("embed"), **QUIET)
        followed = demo.load(self._follow, None, [*named, *knobs.all], **QUIET)
        self.painting.upload(self._restore, {self.painting}, [self.taken, *knobs.all], **QUIET)
        return followed

    def _link(self, values: Values) -> str:
        files = self.pictures.service.files
        given = {name: values[each] for name, each in self.pictures.named.items()}
        query = to_query(
            self.knobs.read(values),
            {name: path for name, path in given.items() if files.find(path) is not None},
        )
        return f"?{query}" if query else ""

    async def _follow(self, request: gr.Request) -> Values:
        """Bring the page into the state that its link names, and to a sharper size if that is soon done."""
        knobs, pictures = from_query(request.query_params, list(self.pictures.named))
        if "size" not in knobs and self.knobs.limits.size >= _SHARP:
            painter = self.pictures.service.painter
            predicted = await painter.forecast(_SHARP, _SHARP * 3 // 4, Settings(size=_SHARP))
            if 0 < predicted.seconds <= _SOON:
                knobs["size"] = _SHARP
        shown: Values = self.knobs.moved(knobs)
        shown |= {self.pictures.named[name]: str(path) for name, path in pictures.items()}
        return shown

    async def _restore(self, values: Values, request: gr.Request) -> Values:
        """Set the knobs as the dropped painting's."""
        label, knobs = "The picture", self.knobs
        restored: dict[str, Any] = {}
        try:
            file = self.pictures.sent(values[self.painting], label)
            if file is None:
                return {self.taken: gr.skip()}
            text = await self.pictures.service.decoder.text(file, label, client_of(request))
            restored = Settings.acceptable(settings_in(text, label))
            answer = "Settings loaded. Now add the pictures."
        except InputError as error:
            answer = str(error)
        return {self.taken: status.remark(answer), **knobs.moved(restored)}
