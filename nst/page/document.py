"""The page's HTML on its way out: what Gradio's own lacks, and as few bytes as may be."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import brotli
from anyio import to_thread
from starlette.datastructures import MutableHeaders

from nst.gradio_faults import assets, forwarded, template, timers
from nst.page.gallery import THUMBNAIL_COUNT, all_finished, pair, thumbnails
from nst.page.layout import PROMISE, TITLE
from nst.page.links import shared
from nst.page.static import SCRIPTS, filled, scripts, scripts_address

# Gradio asks for brotli itself; browsers take it over HTTPS and from this machine.
# What is packed once and for all is worth more work: on 400 kbit/s Paint is there half a second earlier.
_PACKED: dict[bytes, Callable[[bytes, bool], bytes]] = {
    b"br": lambda data, once: brotli.compress(data, quality=10 if once else 6),
    b"gzip": lambda data, once: gzip.compress(data, compresslevel=9 if once else 6),
}
_KINDS = {
    "jpg": b"image/jpeg",
    "json": b"application/manifest+json",
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
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
        self._packed: dict[tuple[str, bytes], bytes] = {}
        # A picture that has changed has another address.
        self.thumbnails, self.shown = (
            f"{path}?{hashlib.sha256(data).hexdigest()[:8]}" for path, data in pictures.items()
        )

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer for the pictures, change the page, hand everything else on."""
        if scope["type"] == "http":
            # Gradio writes this one into the page as it comes.
            scope = {**scope, "headers": forwarded.hosts_only(scope["headers"])}
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
        elif file := self.files.get(scope["path"]):
            await self._file(file, scope, send)
        elif scope["path"] == "/":
            await self._page(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _file(self, file: bytes, scope: dict[str, Any], send: Any) -> None:
        path = scope["path"]
        ending = path.rpartition(".")[2]
        headers = [(b"content-type", _KINDS[ending]), (b"cache-control", b"max-age=86400")]
        if ending != "jpg":
            headers.append((b"vary", b"Accept-Encoding"))
            if way := _way(scope):
                # Once and for all: there are as many as files.
                if (path, way) not in self._packed:
                    self._packed[path, way] = await to_thread.run_sync(_PACKED[way], file, True)
                file = self._packed[path, way]
                headers.append((b"content-encoding", way))
        headers.append((b"content-length", str(len(file)).encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": file})

    async def _page(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        start: dict[str, Any] = {}
        body = b""

        async def collect(message: dict[str, Any]) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                start = message
            else:
                body += message.get("body", b"")

        await self.app(scope, receive, collect)
        headers = MutableHeaders(raw=list(start["headers"]))
        if headers.get("content-type", "").startswith("text/html"):
            body = self._completed(body, _address(scope), scope["query_string"].decode("latin-1"))
            # The policy of the page lets no other script run (nst/guard/headers.py).
            body = _SCRIPT.sub(b'<script nonce="%s"' % scope.get("nonce", "").encode(), body)
            headers["vary"] = "Accept-Encoding"
            if way := _way(scope):
                # A third of a megabyte of settings: on a slow line it is what one would wait for.
                body = await to_thread.run_sync(_PACKED[way], body, False)
                headers["content-encoding"] = way.decode()
            headers["content-length"] = str(len(body))
        await send({**start, "headers": headers.raw})
        await send({"type": "http.response.body", "body": body})

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


def _way(scope: dict[str, Any]) -> bytes | None:
    """Return how the client takes bytes that are packed, None if as they are."""
    accepted = dict(scope["headers"]).get(b"accept-encoding", b"").lower()
    taken = {
        name.strip()
        for name, _, share in (each.partition(b";") for each in accepted.split(b","))
        if not re.fullmatch(rb"\s*q=0(\.0*)?\s*", share)  # RFC 9110, section 12.4.2
    }
    return next((name for name in _PACKED if name in taken), None)


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
