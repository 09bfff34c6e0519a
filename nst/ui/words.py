"""The page's words: English where they stand, other languages here."""

from __future__ import annotations

from typing import Any

import gradio as gr

# Language -> English text -> that text in the language. What is missing stays English. The browser chooses.
TRANSLATIONS: dict[str, dict[str, str]] = {}

_english: dict[str, str] = {}
_mark = gr.I18n()


def say(text: str) -> Any:
    """Return a text for a label, a button or a piece of HTML, in the visitor's language once it is shown."""
    _english[text] = text
    return _mark(text)


def catalogue() -> gr.I18n:
    """Return what `launch` needs to translate all that was said so far."""
    return gr.I18n(en=dict(_english), **TRANSLATIONS)
