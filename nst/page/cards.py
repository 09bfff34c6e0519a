"""What a link to the page looks like where it is shared: title, text and picture in the head of its HTML."""

from __future__ import annotations

import html

CARDS = "/card/"  # and the name of a file of what two examples become


def card(title: str, text: str, address: str, picture: str) -> str:
    """Return the tags of a card."""
    title, text, address, picture = (html.escape(part) for part in (title, text, address, picture))
    properties = {
        "og:type": "website",
        "og:title": title,
        "og:description": text,
        "og:url": address,
        "twitter:card": "summary_large_image",
        "twitter:title": title,
        "twitter:description": text,
    }
    if picture:
        properties |= {"og:image": picture, "twitter:image": picture}
    tags = "".join(
        f'<meta {"property" if name.startswith("og:") else "name"}="{name}" content="{value}">'
        for name, value in properties.items()
    )
    return f'<title>{title}</title><meta name="description" content="{text}">{tags}'
