"""The page's HTML on its way out: what Gradio's own lacks, and as few bytes as may be."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
from functools import cache, partial
from typing import Any
from urllib.parse import urlsplit

import brotli
from anyio import to_thread
from starlette.responses import Response

from nst.gradio_faults import assets, template, timers
from nst.page.gallery import THUMBNAIL_COUNT, all_finished, pair, thumbnails
from nst.page.layout import PROMISE, TITLE
from nst.page.links import shared
from nst.page.static import SCRIPTS, filled, scripts, scripts_address

_KINDS = {
    "jpg": "image/jpeg",
    "json": "application/manifest+json",
    "css": "text/css",
    "js": "text/javascript",
}
_CARDS = "/card/"  # and the name of a file of what two examples become
_SCRIPT = re.compile(rb"<script(?=[\s>])")

# What the page is called on the screen of a phone (W3C, Web Application Manifest).
_MANIFEST = {
    "name": TITLE,
    "short_name": TITLE,
    "description": PROMISE,
    "start_url": "./",
    "display": "standalone",
    "background_color": "#ffffff",
    "theme_color": "#4f46e5",
    "icons": [{"src": "favicon.ico", "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
}


class Document:
    """ASGI middleware that writes card and opening into the page, and serves it and its parts, packed."""

    def __init__(self, app: Any) -> None:
        self.app = app
        pictures = {"/thumbnails.jpg": thumbnails(), "/opening.jpg": pair()}
        self.files = {
            **pictures,
            **{f"{_CARDS}{file.name}": file.read_bytes() for file in all_finished()},
            **assets.files(),
            "/manifest.json": json.dumps(_MANIFEST).encode(),
            SCRIPTS: scripts(),
        }
        # A picture that has changed has another address.
        self.thumbnails, self.shown = (
            f"{path}?{hashlib.sha256(data).hexdigest()[:8]}" for path, data in pictures.items()
        )

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        if file := self.files.get(path):
            kind = _KINDS[path.rpartition(".")[2]]
            response = Response(file, headers={"cache-control": "max-age=86400"}, media_type=kind)
        elif path == "/":
            response = await self._page(scope, receive)
        else:
            await self.app(scope, receive, send)
            return
        if response.headers.get("content-type", "").startswith(("text/", "application/")):
            response.headers["vary"] = "Accept-Encoding"
            if way := _way(scope):
                pack = _packed if path == "/" else _packed_once
                response.body = await to_thread.run_sync(pack, bytes(response.body), way)
                response.headers["content-encoding"] = way
        response.headers["content-length"] = str(len(response.body))
        await response(scope, receive, send)

    async def _page(self, scope: dict[str, Any], receive: Any) -> Response:
        """Return Gradio's answer, completed if it is the page."""
        response, parts = Response(), []

        async def collect(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                response.status_code, response.raw_headers = message["status"], list(message["headers"])
            else:
                parts.append(message.get("body", b""))

        await self.app(scope, receive, collect)
        response.body = b"".join(parts)
        if response.headers.get("content-type", "").startswith("text/html"):
            page = self._completed(response.body, _address(scope), scope["query_string"].decode("latin-1"))
            # The policy of the page lets no other script run (nst/guard/answers.py).
            response.body = _SCRIPT.sub(b'<script nonce="%s"' % scope.get("nonce", "").encode(), page)
        return response

    def _completed(self, page: bytes, address: str, query: str) -> bytes:
        named, file = shared(query)
        below = urlsplit(address).path.rstrip("/")
        head = filled(
            "head",
            title=TITLE,
            text=PROMISE,
            address=f"{address}?{named}" if named else address,
            picture=f"{address.rstrip('/')}{_CARDS}{file.name}",
            shown=below + self.shown,
            thumbnails=below + self.thumbnails,
            count=str(THUMBNAIL_COUNT),
        )
        shown = filled("opening", title=TITLE, text=PROMISE, scripts=scripts_address()) + assets.links()
        page = template.mended(page, below).replace(b"<head>", f"<head>{head}{timers.SCRIPT}".encode(), 1)
        # Behind what is shown first, which would wait for a style sheet in the head.
        return page.replace(b"<gradio-app", shown.encode() + b"<gradio-app inert", 1)


def _way(scope: dict[str, Any]) -> str | None:
    """Return how the client takes bytes that are packed, None if as they are.

    Gradio asks for brotli itself; browsers take it over HTTPS and from this machine.
    """
    accepted = dict(scope["headers"]).get(b"accept-encoding", b"").decode("latin-1").lower()
    taken = {
        name.strip()
        for name, _, share in (each.partition(";") for each in accepted.split(","))
        if not re.fullmatch(r"\s*q=0(\.0*)?\s*", share)  # RFC 9110, section 12.4.2
    }
    return next((name for name in ("br", "gzip") if name in taken), None)


def _packed(data: bytes, way: str, once: bool = False) -> bytes:
    """Return bytes packed: the page is a third of a megabyte, on a slow line it is what one would wait for.

    What is packed once is worth more work: on 400 kbit/s Paint is there half a second earlier.
    """
    if way == "br":
        return brotli.compress(data, quality=10 if once else 6)
    return gzip.compress(data, compresslevel=9 if once else 6)


_packed_once = cache(partial(_packed, once=True))  # as many as there are files


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
