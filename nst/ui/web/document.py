"""The page's HTML on its way out: what Gradio's own lacks, and as few bytes as may be."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from anyio import to_thread

from nst.ui.links import shared
from nst.ui.static import markup
from nst.ui.web import manifest
from nst.ui.web.cards import CARDS, OTHERS, card
from nst.ui.web.opening import THUMBNAILS, opening

_SCRIPT = re.compile(rb"<script(?=[\s>])")
_HOST = re.compile(rb"[A-Za-z0-9.:_,\[\] -]+\Z")


class Document:
    """ASGI middleware that writes card and opening into the page, packs it, and serves their pictures.

    Args:
        app: what it stands before.
        title: of the page.
        text: one sentence below it.
        pictures: JPEG files by their paths.
    """

    def __init__(self, app: Any, title: str, text: str, pictures: Mapping[str, bytes]) -> None:
        self.app, self.title, self.text = app, title, text
        self.files = {**pictures, manifest.PATH: manifest.manifest(title, text)}
        # A picture that has changed has another address.
        self.thumbnails = f"{THUMBNAILS}?{hashlib.sha256(pictures[THUMBNAILS]).hexdigest()[:8]}"

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer for the pictures, change the page, hand everything else on."""
        if scope["type"] == "http":
            # Gradio writes this one into the page as it comes.
            known = [
                each for each in scope["headers"] if each[0] != b"x-forwarded-host" or _HOST.match(each[1])
            ]
            scope = {**scope, "headers": known}
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
        elif file := self.files.get(scope["path"]):
            kind = b"application/manifest+json" if scope["path"] == manifest.PATH else b"image/jpeg"
            headers = [
                (b"content-type", kind),
                (b"content-length", str(len(file)).encode()),
                (b"cache-control", b"max-age=86400"),
            ]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": file})
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
                body = self._completed(body, _address(scope), scope["query_string"].decode("latin-1"))
                # The policy of the page lets no other script run (nst/ui/web/headers.py).
                body = _SCRIPT.sub(b'<script nonce="%s"' % scope.get("nonce", "").encode(), body)
                headers[b"vary"] = b"Accept-Encoding"
                if b"gzip" in dict(scope["headers"]).get(b"accept-encoding", b""):
                    # Half a megabyte of settings: on a slow line it is what one would wait for.
                    body = await to_thread.run_sync(gzip.compress, body, 6)
                    headers[b"content-encoding"] = b"gzip"
                headers[b"content-length"] = str(len(body)).encode()
            await send({**start, "headers": list(headers.items())})
            await send({"type": "http.response.body", "body": body})

        await self.app(scope, receive, collect)

    def _completed(self, page: bytes, address: str, query: str) -> bytes:
        named, file = shared(query)
        path = f"{CARDS}{file.name}" if file else ""
        picture = f"{address.rstrip('/')}{path}" if path in self.files else ""
        told = card(self.title, self.text, f"{address}?{named}" if named else address, picture)
        below = urlsplit(address).path.rstrip("/")
        style, shown = opening(self.title, self.text, below + self.thumbnails)
        page = page.replace(manifest.LINK, manifest.linked(below), 1)
        head = "".join(("<head>", told, style, markup("rest")))
        page = OTHERS.sub(b"", page).replace(b"<head>", head.encode(), 1)
        return page.replace(b"<gradio-app", shown.encode() + b"<gradio-app", 1)


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
