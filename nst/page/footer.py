"""What stands at the foot of the page, and what is said of visitors' pictures."""

from __future__ import annotations

import html
import os

import gradio as gr

from nst.page import status
from nst.page.static import on_load

_HOW = (
    "A neural network (VGG-19) compares the picture with your photo, and its colours and strokes with the"
    " painting, layer by layer. Step by step the pixels change until both fit. The method is by Gatys, Ecker"
    " and Bethge (2015)."
)
_CREDITS = (
    "The example photos and paintings are in the public domain or free to use. Method: A Neural Algorithm of"
    " Artistic Style (Gatys, Ecker and Bethge). Network: VGG-19 (Simonyan and Zisserman)."
)
_PRIVACY = (
    "Pictures and paintings are deleted {kept} after they were last used, or when you delete them. Nobody"
    " else can find them. You need no account, and nothing is sent to anybody else."
)


def privacy(kept: float) -> str:
    """Return who sees a photo, and for how long."""
    return f"<p>Only you see your photo. Deleted after {status.spoken(kept)}.</p>"


def _source() -> str:
    """Return where the code of this host is to be had: what `NST_SOURCE` says, or the Space's own files."""
    space = os.environ.get("SPACE_ID", "")
    own = f"https://huggingface.co/spaces/{space}/tree/main" if space else ""
    named = os.environ.get("NST_SOURCE") or own
    return named if named.startswith(("https://", "http://")) else ""


def add(kept: float) -> None:
    """Put the foot of the page here.

    Args:
        kept: seconds for which pictures are kept.
    """
    texts = {
        "How it works": _HOW,
        "Credits": _CREDITS,
        "Privacy": _PRIVACY.format(kept=status.spoken(kept)),
    }
    parts = [
        f'<details name="foot"><summary>{title}</summary><p>{text}</p></details>'
        for title, text in texts.items()
    ]
    parts.append('<a href="?view=api">API</a>')
    if source := _source():
        parts.append(f'<a href="{html.escape(source)}" target="_blank" rel="noopener">Source</a>')
    parts.append('<button type="button" class="theme">Light or dark</button>')
    gr.HTML("".join(parts), elem_id="foot", js_on_load=on_load("theme"))
