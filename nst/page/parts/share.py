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

_SOON = 15.0  # seconds in which a painting of `SHARP` pixels is done wherever a page begins with them
_TO_COPY = (
    ("Link", "Settings and examples; your own pictures are never part of it.", "link"),
    ("Embed (iframe)", "Canvas, two pictures and the button, 640 x 480.", "snippet"),
    ("Embed (web component)", "The same without a frame.", "component-snippet"),
)


def add_share(demo: gr.Blocks, pictures: PictureInputs, knobs: Knobs) -> Any:
    """Put links here, and the way back; return the event after which the page is as its link says, or was."""
    service = pictures.service
    named: list[Block] = list(pictures.named.values())

    def make_link(values: Values) -> str:
        query = to_query(knobs.read(values), pictures.own(values))
        return f"?{query}" if query else ""

    async def follow(request: gr.Request) -> Values:
        # To a sharper size, if that is soon done and the link names none.
        wanted, examples = from_query(request.query_params, list(pictures.named))
        if "size" not in wanted and knobs.limits.size >= SHARP:
            predicted = await service.painter.forecast(SHARP, SHARP * 3 // 4, Settings(size=SHARP))
            if 0 < predicted.seconds <= _SOON:
                wanted["size"] = SHARP
        return knobs.moved(wanted) | {pictures.named[name]: str(path) for name, path in examples.items()}

    async def restore(values: Values, request: gr.Request) -> Values:
        label = "The picture"
        restored: dict[str, Any] = {}
        try:
            file = pictures.sent(values[painting], label)
            if file is None:
                return {taken: gr.skip()}
            text = await service.decoder.text(file, label, client_of(request))
            restored = Settings.acceptable(settings_in(text, label))
            answer = "Settings loaded. Now add the pictures."
        except InputError as error:
            answer = str(error)
        return {taken: status.remark(answer), **knobs.moved(restored)}

    button = gr.Button("Make a link to this page", size="sm", elem_id="make-link")
    link, *snippets = (
        gr.Textbox(label=label, info=about, buttons=["copy"], interactive=False, elem_id=name)
        for label, about, name in _TO_COPY
    )
    painting = PathOfFile(
        label="Load settings from a saved PNG",
        file_types=[".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"],
        height=110,
        elem_id="settings-from",
    )
    taken = gr.HTML(elem_id="taken")
    button.click(make_link, {*named, *knobs.all}, link, **QUIET).then(
        None, link, [link, *snippets], js=call("snippets")
    )
    demo.load(None, None, None, js=call("embed"), **QUIET)
    painting.upload(restore, {painting}, [taken, *knobs.all], **QUIET)
    followed = demo.load(follow, None, [*named, *knobs.all], **QUIET)
    # What a tab showed before it was loaded again counts more; the browser alone keeps it and brings it back.
    shown = [*pictures.all, *knobs.all]
    changes = [each.change for each in shown if hasattr(each, "change")]
    gr.on(changes, None, shown, None, js=call("remember"), trigger_mode="multiple", **QUIET)
    return followed.then(None, shown, shown, js=call("recall"), **QUIET)
