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
from nst.runs.limits import SHARP
from nst.settings import Settings

# Seconds in which a painting of `SHARP` pixels is done wherever a page begins with them.
_SOON = 15.0


class Share:
    """A link, the snippets that embed it, and the way back."""

    def __init__(self, demo: gr.Blocks, pictures: PictureInputs, knobs: Knobs) -> None:
        self.pictures, self.knobs = pictures, knobs
        self.make_link = gr.Button("Make a link to this page", size="sm", elem_id="make-link")
        self.link = _to_copy("Link", "Settings and examples; your own pictures are never part of it.", "link")
        self.snippet = _to_copy(
            "Embed (iframe)", "Canvas, two pictures and the button, 640 x 480.", "snippet"
        )
        self.component = _to_copy("Embed (web component)", "The same without a frame.", "component-snippet")
        self.painting = PathOfFile(
            label="Load settings from a saved PNG",
            file_types=[".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"],
            height=110,
            elem_id="settings-from",
        )
        self.taken = gr.HTML(elem_id="taken")
        named: list[Block] = list(pictures.named.values())
        self.make_link.click(self._link, {*named, *knobs.all}, self.link, **QUIET).then(
            None, self.link, [self.link, self.snippet, self.component], js=call("snippets")
        )
        demo.load(None, None, None, js=call("embed"), **QUIET)
        # Whose `then` tells that the page is in the state that its link names.
        self.followed = demo.load(self._follow, None, [*named, *knobs.all], **QUIET)
        self.painting.upload(self._restore, {self.painting}, [self.taken, *knobs.all], **QUIET)

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
        if "size" not in knobs and self.knobs.limits.size >= SHARP:
            painter = self.pictures.service.painter
            predicted = await painter.forecast(SHARP, SHARP * 3 // 4, Settings(size=SHARP))
            if 0 < predicted.seconds <= _SOON:
                knobs["size"] = SHARP
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


def _to_copy(label: str, about: str, name: str) -> gr.Textbox:
    """Put a text here that can be copied."""
    return gr.Textbox(label=label, info=about, buttons=["copy"], interactive=False, elem_id=name)
