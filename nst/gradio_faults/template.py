"""Gradio 6.31.0: its HTML is made for a demo called "Gradio", at the top of a host, in a frame.

What a script changes later no crawler sees.
"""

import re

_CARDS = re.compile(rb"<meta\s[^>]*(?:property|name)=\"(?:og|twitter):[^>]*>\s*|<title>[^<]*</title>\s*")
_MANIFEST = b'<link rel="manifest" href="'  # and the path from the top of the host
_FITTING = b"document.head.appendChild(script);"


def mended(page: bytes, below: str) -> bytes:
    """Return the page's HTML without title and cards, and fit for the path below which it stands, or ""."""
    page = page.replace(_MANIFEST, _MANIFEST + below.encode(), 1)
    page = page.replace(_FITTING, b"if (window !== window.parent) " + _FITTING, 1)
    return _CARDS.sub(b"", page)
