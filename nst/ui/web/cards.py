"""What a link to the page looks like where it is shared: title, text and picture in the served HTML.

Gradio's own HTML calls every page "Gradio", and what is added to its head by script no crawler sees.
"""

from __future__ import annotations

import html
import os
import re
from pathlib import Path
from typing import Any

_PICTURE = "/card.jpg"
# Gradio's own cards and title, which would come first.
_OTHERS = re.compile(rb"<meta\s[^>]*(?:property|name)=\"(?:og|twitter):[^>]*>\s*|<title>[^<]*</title>\s*")

_SCRIPT = re.compile(rb"<script(?=[\s>])")
_HOST = re.compile(rb"[A-Za-z0-9.:_,\[\] -]+\Z")


class Cards:
    """ASGI middleware that writes the card into the page and serves its picture.

    Args:
        app: what it stands before.
        title: of the page.
        text: one sentence below it.
        picture: JPEG file.
    """

    def __init__(self, app: Any, title: str, text: str, picture: Path) -> None:
        self.app, self.title, self.text = app, title, text
        self.picture = picture.read_bytes() if picture.exists() else b""

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer for the picture, change the page, hand everything else on."""
        if scope["type"] == "http":
            # Gradio writes this one into the page as it comes.
            known = [
                each for each in scope["headers"] if each[0] != b"x-forwarded-host" or _HOST.match(each[1])
            ]
            scope = {**scope, "headers": known}
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
        elif scope["path"] == _PICTURE and self.picture:
            headers = [
                (b"content-type", b"image/jpeg"),
                (b"content-length", str(len(self.picture)).encode()),
                (b"cache-control", b"max-age=86400"),
            ]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": self.picture})
        elif scope["path"] == "/":
            await self._page(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _page(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        start: dict[str, Any] = {}
        body = b""

        async def collect(message: dict[str, Any]) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
                return
            body += message.get("body", b"")
            if message.get("more_body"):
                return
            headers = dict(start["headers"])
            if headers.get(b"content-type", b"").startswith(b"text/html"):
                body = self._with_card(body, _address(scope))
                # The policy of the page lets no other script run (nst/ui/web/headers.py).
                body = _SCRIPT.sub(b'<script nonce="%s"' % scope.get("nonce", "").encode(), body)
                headers[b"content-length"] = str(len(body)).encode()
            await send({**start, "headers": list(headers.items())})
            await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, collect)

    def _with_card(self, page: bytes, address: str) -> bytes:
        title, text, address = (html.escape(part) for part in (self.title, self.text, address))
        card = {
            "og:type": "website",
            "og:title": title,
            "og:description": text,
            "og:url": address,
            "twitter:card": "summary_large_image",
            "twitter:title": title,
            "twitter:description": text,
        }
        if self.picture:
            card |= {
                "og:image": address.rstrip("/") + _PICTURE,
                "twitter:image": address.rstrip("/") + _PICTURE,
            }
        told = "".join(
            f'<meta {"property" if name.startswith("og:") else "name"}="{name}" content="{value}">'
            for name, value in card.items()
        )
        told = f'<title>{title}</title><meta name="description" content="{text}">{told}'
        return _OTHERS.sub(b"", page).replace(b"<head>", b"<head>" + told.encode(), 1)


def _address(scope: dict[str, Any]) -> str:
    """Return the address that the visitor used, also from behind a proxy and below a path of its own."""
    root = os.environ.get("GRADIO_ROOT_PATH", "").strip().rstrip("/")
    if root.startswith(("http://", "https://")):
        return f"{root}/"
    headers = dict(scope["headers"])
    scheme = headers.get(b"x-forwarded-proto", scope.get("scheme", "http").encode()).decode("latin-1")
    host = headers.get(b"x-forwarded-host") or headers.get(b"host") or b"localhost"
    scheme = "https" if scheme.startswith("https") else "http"
    plain = re.sub("[^A-Za-z0-9.:_-]", "", host.decode("latin-1"))
    return "/".join(filter(None, (f"{scheme}:/", plain, root.strip("/")))) + "/"
