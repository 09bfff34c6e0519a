"""Every route of Gradio's is open for a reason, or closed for one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from starlette.routing import Mount

from nst.guard.routes import API, OPEN, route_of

# By the reason, those that a visitor finds nothing at.
CLOSED = {
    "a connection for as long as a tab is open, of which a browser has six": "API/heartbeat/{session_hash}",
    "there are no accounts": "API/user API/login_check API/token /login /logout",
    "for whoever writes a page": "API/dev/reload",
    "components of others": "/svelte/{path:path} API/custom_component/{id}/{environment}/{type}/{file_name}",
    "a list of what a browser has run, not used": "API/runs API/run-history/connect API/run-history/buckets"
    " API/run-history/records API/run-history/records/{endpoint}/{record_id}/assets/{asset_id}",
    "keeps uploads for anybody": "API/deep_link",
    "fetches from elsewhere": "API/proxy={url_path:path}",
    "an old name of /file=": "API/file/{path:path}",
    "sound and video": "API/stream/{event_id} API/stream/{event_id}/close"
    " API/stream/{session_hash}/{run}/{component_id}/playlist.m3u8"
    " API/stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}"
    " API/stream/{session_hash}/{run}/{component_id}/playlist-file",
    "passes the queue; of it only run/predict is open, for what has none": "API/run/{api_name}",
    "an old name of /run": "API/api/{api_name}",
    "functions of components, of which there are none here": "API/component_server",
    "nobody asks for it": "API/queue/status",
    "draws a picture of any size": "/pwa_icon /pwa_icon/{size}",
    "who used the page when": "/monitoring /monitoring/summary /monitoring/{key}",
    "runs a program on an upload": "API/process_recording",
    "lets a model write this host's code": "API/vibe-edit API/undo-vibe-edit API/vibe-code"
    " API/vibe-starter-queries",
    "an old transport of MCP": "API/mcp/sse API/mcp/messages",
}
ALL_CLOSED = {path.replace("API", API) for paths in CLOSED.values() for path in paths.split()}
# What a route's parameters may look like, for asking the guard about it.
EXAMPLES = {"path:path": "index.js", "event_id": "e1", "session_hash": "s1"}


def routes_of(routes, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield method and path of every route of an app, those of what is mounted in it too."""
    for route in routes:
        inner = getattr(route, "original_router", None)  # of FastAPI's wrapping of a router that is included
        if inner:
            yield from routes_of(inner.routes, prefix)
        elif isinstance(route, Mount):
            yield "MOUNT", (prefix + route.path).rstrip("/")
            yield from routes_of(getattr(route.app, "routes", None) or [], prefix + route.path)
        else:
            for method in route.methods or ("GET",):
                yield method, prefix + route.path


def is_open(method: str, path: str, api_name: str) -> bool:
    examples = {**EXAMPLES, "api_name": api_name}
    plain = re.sub(r"\{([^}]*)\}", lambda found: examples.get(found.group(1), "x"), path)
    # FastAPI answers HEAD as GET.
    return route_of("GET" if method == "HEAD" else method, plain, b"") is not None


def test_each_is_open_or_closed_on_purpose(demo):
    found = set(routes_of(demo.app.routes))
    assert len(found) > 60
    mounted = {("MOUNT", "/gradio_api/mcp"), ("MOUNT", "/gradio_api/mcp/messages")}
    assert mounted <= found
    # A new version of Gradio has added these: decide in nst/guard/routes.py, or close them above.
    nobody_thought_of = [
        (method, path)
        for method, path in found - mounted
        if path and path.rstrip("/") not in ALL_CLOSED and not is_open(method, path, "stylize")
    ]
    assert {path for _, path in nobody_thought_of} <= {"/openapi.json"}


def test_none_is_both_and_all_that_are_open_have_a_reason():
    for path in ALL_CLOSED:
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD"):
            assert not is_open(method, path, "any"), path
    assert all(route.why for route in OPEN)
