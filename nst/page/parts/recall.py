"""What a tab showed before it was loaded again, kept and brought back by the browser alone."""

from __future__ import annotations

from typing import Any

import gradio as gr

from nst.page.parts import QUIET
from nst.page.parts.knobs import Knobs
from nst.page.parts.pictures import PictureInputs
from nst.page.static import call


def listen(followed: Any, pictures: PictureInputs, knobs: Knobs) -> Any:
    """Begin to keep and to bring back; return the event by which a page is as it was.

    Args:
        followed: what brings a page into the state of its link, which counts less.
    """
    shown = [*pictures.all, *knobs.all]
    recalled = followed.then(None, shown, shown, js=call("recall"), **QUIET)
    changes = [each.change for each in shown if hasattr(each, "change")]
    gr.on(changes, None, shown, None, js=call("remember"), trigger_mode="multiple", **QUIET)
    return recalled
