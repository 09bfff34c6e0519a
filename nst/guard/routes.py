"""Which requests reach the app at all: an exact list, each with its reason; every other finds nothing."""

from __future__ import annotations

import re
from typing import NamedTuple

API = "/gradio_api"
# Longer than any address that the page or a program uses; a link with all settings has some 600 letters.
_LONGEST_PATH, _LONGEST_QUERY = 700, 8000

_NAME = r"[A-Za-z0-9_@-][A-Za-z0-9_.@-]{0,119}"
_ID = r"[A-Za-z0-9_-]{1,64}"


class Route(NamedTuple):
    """What may be asked for."""

    kind: str  # what the guard does with it
    methods: tuple[str, ...]
    pattern: str  # of the whole path
    why: str


OPEN: tuple[Route, ...] = (
    Route("page", ("GET", "HEAD"), r"/", "the page"),
    Route("config", ("GET",), r"/config/?", "how Gradio's clients and the web component learn what there is"),
    Route("plain", ("GET", "HEAD"), rf"/(?:static|assets)/(?:{_NAME}/){{0,4}}{_NAME}", "Gradio's own files"),
    Route("plain", ("GET",), rf"(?:{API})?/theme\.css", "the page's colours"),
    Route(
        "plain",
        ("GET", "HEAD"),
        r"/favicon\.ico|/robots\.txt|/manifest\.json|/card/[\w-]{1,80}\.jpg|/(?:thumbnails|opening)\.jpg"
        r"|/assets\.css|/scripts\.js",
        "browsers, robots, what belongs to the page",
    ),
    Route("health", ("GET", "HEAD"), "/health", "whether a visitor would be served"),
    Route("config", ("GET",), rf"{API}/info/?|{API}/openapi\.json", "what programs may ask for"),
    Route("plain", ("GET",), rf"{API}/app_id/?", "how a page notices that its host has started anew"),
    Route("plain", ("GET",), rf"{API}/startup-events", "Gradio asks itself for it once, at its start"),
    Route("upload", ("POST",), rf"{API}/upload", "pictures come in"),
    Route("progress", ("GET",), rf"{API}/upload_progress", "the page asks for it with each upload"),
    Route("file", ("GET", "HEAD"), rf"{API}/file=.+", "pictures go out"),
    Route("join", ("POST",), rf"{API}/queue/join", "what takes a while: to paint, a film, a look inside"),
    Route("listen", ("GET",), rf"{API}/queue/data", "its frames"),
    Route("direct", ("POST",), rf"{API}/run/predict", "what answers at once: examples, links, Stop"),
    Route("small", ("POST",), rf"{API}/(?:cancel|reset)/?", "a browser or program gives an event up"),
    Route("call", ("POST",), rf"{API}/call(?:/v2)?/stylize/?", "programs paint"),
    Route("await", ("GET",), rf"{API}/call(?:/v2)?/stylize/{_ID}", "and take the frames"),
    Route("mcp", ("POST",), rf"{API}/mcp/?(?:http/?)?", "assistants paint"),
    Route("config", ("GET",), rf"{API}/mcp/schema", "how a directory of tools learns of this one"),
)


def route_of(method: str, path: str, query: bytes) -> Route | None:
    if len(path) > _LONGEST_PATH or len(query) > _LONGEST_QUERY or not path.isprintable():
        return None
    fitting = (one for one in OPEN if method in one.methods and re.fullmatch(one.pattern, path))
    return next(fitting, None)
