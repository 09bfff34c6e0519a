"""Gradio 6.31.0: its HTML is made for a demo called "Gradio", at the top of a host, in a frame.

It has a title and cards of its own, names the manifest at the top of the host, and waits for a script that
fits it into a frame. What a script changes later no crawler sees.
"""

from __future__ import annotations

import re

_CARDS = re.compile(rb"<meta\s[^>]*(?:property|name)=\"(?:og|twitter):[^>]*>\s*|<title>[^<]*</title>\s*")
_MANIFEST = b'<link rel="manifest" href="'  # and the path from the top of the host
_FITTING = b"document.head.appendChild(script);"


def mended(page: bytes, below: str) -> bytes:
    """Return the page's HTML without title and cards, and fit for its place.

    Args:
        below: the path below which the page stands, "" for none.
    """
    page = page.replace(_MANIFEST, _MANIFEST + below.encode(), 1)
    page = page.replace(_FITTING, b"if (window !== window.parent) " + _FITTING, 1)
    return _CARDS.sub(b"", page)
