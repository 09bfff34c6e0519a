"""What stands on the page until its script does: on a slow line that takes a while."""

from __future__ import annotations

import html

from nst.page.gallery import THUMBNAIL_COUNT
from nst.page.static import markup, scripts_address

THUMBNAILS, OPENING = "/thumbnails.jpg", "/opening.jpg"


def opening(title: str, text: str, thumbnails: str, shown: str) -> tuple[str, str]:
    """Return what belongs into the head of the page, and what before its app.

    Args:
        thumbnails: address of the examples' picture (nst/page/gallery.py), which the rows of examples show.
        shown: address of the preset photo and style, the only ones that are shown before.
    """
    values = {
        "title": title,
        "text": text,
        "thumbnails": thumbnails,
        "count": str(THUMBNAIL_COUNT),
        "shown": shown,
        "scripts": scripts_address(),
    }
    parts = []
    for name in ("opening_head", "opening"):
        part = markup(name)
        for key, value in values.items():
            part = part.replace(f"{{{{{key}}}}}", html.escape(value))
        parts.append(part)
    return parts[0], parts[1]
