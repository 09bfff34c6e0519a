"""What the page is called where somebody puts it on the screen of a phone (W3C, Web Application Manifest)."""

from __future__ import annotations

import json

PATH = "/manifest.json"


def manifest(title: str, text: str) -> bytes:
    """Return the manifest; its addresses are relative to its own."""
    icon = {"src": "favicon.ico", "sizes": "any", "type": "image/svg+xml", "purpose": "any"}
    entries = {
        "name": title,
        "short_name": title,
        "description": text,
        "start_url": "./",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#4f46e5",
        "icons": [icon],
    }
    return json.dumps(entries).encode()
