"""Which requests reach the app at all: an exact list, each with its reason; every other finds nothing."""

from __future__ import annotations

import re
from typing import NamedTuple

API = "/gradio_api"
HEALTH = "/health"
# Longer than any address that the page or a program uses; a link with all settings has some 600 letters.
LONGEST_PATH, LONGEST_QUERY = 700, 8000

_NAME = r"[A-Za-z0-9_@-][A-Za-z0-9_.@-]{0,119}"
_ID = r"[A-Za-z0-9_-]{1,64}"


class Route(NamedTuple):
    """One kind of request."""

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
    Route("health", ("GET", "HEAD"), HEALTH, "whether a visitor would be served"),
    Route("config", ("GET",), rf"{API}/info/?|{API}/openapi\.json", "what programs may ask for"),
    Route("plain", ("GET",), rf"{API}/app_id/?", "how a page notices that its host has started anew"),
    Route("plain", ("GET",), rf"{API}/startup-events", "Gradio asks itself for it once, at its start"),
    Route("upload", ("POST",), rf"{API}/upload", "pictures come in"),
    Route("progress", ("GET",), rf"{API}/upload_progress", "the page asks for it with each upload"),
    Route("file", ("GET", "HEAD"), rf"{API}/file=.+", "pictures go out"),
    Route("join", ("POST",), rf"{API}/queue/join", "what takes a while: to paint, a film, a look inside"),
    Route("listen", ("GET",), rf"{API}/queue/data", "its frames"),
    Route(
        "direct",
        ("POST",),
        rf"{API}/run/predict",
        "what answers at once: examples, links, Stop",
    ),
    Route("small", ("POST",), rf"{API}/(?:cancel|reset)/?", "a browser or program gives an event up"),
    Route("call", ("POST",), rf"{API}/call(?:/v2)?/stylize/?", "programs paint"),
    Route("await", ("GET",), rf"{API}/call(?:/v2)?/stylize/{_ID}", "and take the frames"),
    Route("mcp", ("POST",), rf"{API}/mcp/?(?:http/?)?", "assistants paint"),
    Route("config", ("GET",), rf"{API}/mcp/schema", "how a directory of tools learns of this one"),
)
# Gradio's other routes, so that one that a new version adds is noticed (tests/server/guard/test_routes.py).
CLOSED: dict[str, str] = {
    f"{API}/heartbeat/{{session_hash}}": "a connection for as long as a tab is open; a browser has six",
    f"{API}/user": "there are no accounts",
    f"{API}/login_check": "there are no accounts",
    f"{API}/token": "there are no accounts",
    "/login": "there are no accounts",
    "/logout": "there are no accounts",
    f"{API}/dev/reload": "for whoever writes a page",
    "/svelte/{path:path}": "components of others",
    f"{API}/custom_component/{{id}}/{{environment}}/{{type}}/{{file_name}}": "components of others",
    f"{API}/runs": "a list of what a browser has run, not used",
    f"{API}/run-history/connect": "a list of what a browser has run, not used",
    f"{API}/run-history/buckets": "a list of what a browser has run, not used",
    f"{API}/run-history/records": "a list of what a browser has run, not used",
    f"{API}/run-history/records/{{endpoint}}/{{record_id}}/assets/{{asset_id}}": "a list of runs, not used",
    f"{API}/deep_link": "keeps uploads for anybody",
    f"{API}/proxy={{url_path:path}}": "fetches from elsewhere",
    f"{API}/file/{{path:path}}": "an old name of /file=",
    f"{API}/stream/{{event_id}}": "sound and video",
    f"{API}/stream/{{event_id}}/close": "sound and video",
    f"{API}/stream/{{session_hash}}/{{run}}/{{component_id}}/playlist.m3u8": "sound and video",
    f"{API}/stream/{{session_hash}}/{{run}}/{{component_id}}/{{segment_id}}.{{ext}}": "sound and video",
    f"{API}/stream/{{session_hash}}/{{run}}/{{component_id}}/playlist-file": "sound and video",
    f"{API}/run/{{api_name}}": "passes the queue; of it only run/predict is open, for what has none",
    f"{API}/api/{{api_name}}": "an old name of /run",
    f"{API}/component_server": "functions of components, of which there are none here",
    f"{API}/queue/status": "nobody asks for it",
    "/pwa_icon": "draws a picture of any size",
    "/pwa_icon/{size}": "draws a picture of any size",
    "/monitoring": "who used the page when",
    "/monitoring/summary": "who used the page when",
    "/monitoring/{key}": "who used the page when",
    f"{API}/process_recording": "runs a program on an upload",
    f"{API}/vibe-edit": "lets a model write this host's code",
    f"{API}/undo-vibe-edit": "lets a model write this host's code",
    f"{API}/vibe-code": "lets a model write this host's code",
    f"{API}/vibe-starter-queries": "lets a model write this host's code",
    f"{API}/mcp/sse": "an old transport of MCP",
    f"{API}/mcp/messages": "an old transport of MCP",
}
_COMPILED = tuple((re.compile(route.pattern), route) for route in OPEN)


def match(method: str, path: str, query: bytes) -> Route | None:
    """Return the route of a request, or None if there is none."""
    if len(path) > LONGEST_PATH or len(query) > LONGEST_QUERY or not path.isprintable():
        return None
    for pattern, route in _COMPILED:
        if method in route.methods and pattern.fullmatch(path):
            return route
    return None
