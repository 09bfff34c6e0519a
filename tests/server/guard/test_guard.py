"""What does not get through to Gradio, and what is answered before it."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
from dataclasses import replace
from urllib.parse import urlsplit

import anyio
import gradio as gr
import pytest
from conftest import ROOT, complete
from gradio_client import Client, handle_file
from gradio_client.exceptions import ValidationError
from served import LIMITS, serving

from nst import InputError
from nst.guard import budgets, guard, routes
from nst.page.components import picked
from nst.page.server import served


def ask(url: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None):
    """Return status, headers and body of an answer."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


def test_a_sign_of_life(url):
    code, _, body = ask(url, "GET", "/health")
    assert code == 200
    assert json.loads(body) == {"status": "ok", "painting": 0, "waiting": 0}


async def used_up() -> anyio.CapacityLimiter:
    limiter = anyio.CapacityLimiter(1)
    await limiter.acquire_on_behalf_of("somebody")
    return limiter


def test_who_would_not_be_served_is_told(monkeypatch):
    with serving(replace(LIMITS, waiting=1)) as demo:

        def told() -> tuple[int, str]:
            code, _, body = ask(demo.local_url, "GET", "/health")
            return code, json.loads(body)["status"]

        guarded = next(one for one in demo.app.user_middleware if one.cls is guard.Guard)
        service = guarded.kwargs["service"]
        assert told() == (200, "ok")
        turns = [complete(service.painter.join("")) for _ in range(2)]
        assert told() == (200, "full")
        for turn in turns:
            complete(service.painter.leave(turn))
        monkeypatch.setattr(service.decoder, "stalled", lambda: 100.0)
        assert told() == (503, "stuck")
        monkeypatch.undo()
        assert told() == (200, "ok")
        # As every event does, it takes a thread of Gradio's; here there is none left.
        monkeypatch.setattr(demo, "limiter", complete(used_up()))
        assert told() == (503, "stuck")


def test_a_port_that_is_taken_is_a_sentence(url):
    taken = {"server_name": "127.0.0.1", "server_port": urlsplit(url).port}
    with pytest.raises(InputError, match="choose a free port with --port"), served(LIMITS, **taken):
        pass


def test_everything_is_served_with_its_own_type(url):
    for path in ("/", "/config", "/health", "/card/matterhorn-starry_night.jpg"):
        code, headers, _ = ask(url, "GET", path)
        assert code == 200
        if "/card/" not in path:
            assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_without_end_is_refused(url, monkeypatch, chunked):
    monkeypatch.setitem(guard.MOST, "call", 2**20)
    body = b'{"data": ["' + b"x" * 2**21 + b'"]}'
    sent = iter([body[: 2**20], body[2**20 :]]) if chunked else body
    try:
        code, _, told = ask(
            url, "POST", "/gradio_api/call/stylize", sent, {"Content-Type": "application/json"}
        )
    except (BrokenPipeError, ConnectionResetError):  # it hung up before it was all said
        return
    assert code == 413
    assert "at most 1 MB" in json.loads(told)["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/deep_link?session_hash=x",
        "/gradio_api/process_recording",
        "/monitoring/summary",
        "/gradio_api/vibe-edit/",
    ],
)
def test_unused_doors_are_closed(url, path):
    for method in ("GET", "POST"):
        assert ask(url, method, path)[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=/etc/passwd",
        "/gradio_api/file=../../etc/passwd",
        "/gradio_api/file=app.py",
        f"/gradio_api/file={ROOT}/app.py",
        "/gradio_api/file=/proc/self/environ",
        "/gradio_api/file=http://127.0.0.1:1/",
        "/static/../../app.py",
        "/assets/..%2f..%2f..%2fapp.py",
    ],
)
def test_nothing_else_of_this_machine_is_served(url, path):
    code, _, body = ask(url, "GET", path)
    assert code in (403, 404)
    assert b"root:" not in body
    assert b"nst.page" not in body


def test_what_gradio_has_no_words_for_gets_a_sentence(url):
    headers = {"Content-Type": "application/json"}
    for path in ("call/v2/stylize", "run/predict"):
        code, _, told = ask(url, "POST", f"/gradio_api/{path}", b'{"nonsense": 1, "data": []}', headers)
        assert code == 422
        assert "Use via API or MCP" in json.loads(told)["error"]


@pytest.mark.parametrize(
    "sent", [None, {}, {"index": 3}, {"index": -1}, {"index": "0"}, {"index": True}, [0]]
)
def test_a_click_on_no_button_is_no_click(sent):
    assert picked(gr.EventData(None, sent), 3) is None
    assert picked(gr.EventData(None, {"index": 2}), 3) == 2


def test_nothing_is_fetched_for_a_visitor(url, painting):
    asked = []

    class Trap(threading.Thread):
        def run(self) -> None:
            with socket.create_server(("127.0.0.1", 0)) as server:
                server.settimeout(1)
                self.port = server.getsockname()[1]
                ready.set()
                try:
                    server.accept()
                    asked.append(True)
                except TimeoutError:
                    pass

    ready = threading.Event()
    trap = Trap()
    trap.start()
    ready.wait(5)
    client = Client(url, verbose=False)
    for address in (f"http://127.0.0.1:{trap.port}/a.png", "http://example.com/a.png"):
        photo = {"path": address, "url": address, "meta": {"_type": "gradio.FileData"}}
        with pytest.raises(ValidationError, match="Nothing is fetched from an address"):
            client.predict(photo, handle_file(painting), api_name="/stylize")
    trap.join()
    assert asked == []


def test_a_route_that_nobody_listed_a_limit_for_has_one(url, monkeypatch):
    made_up = routes.Route("novel", ("GET",), "/novel", "made up")
    monkeypatch.setattr(routes, "_COMPILED", ((re.compile(made_up.pattern), made_up), *routes._COMPILED))
    monkeypatch.setattr(budgets, "OTHERS", (3, 0.001, 2))
    stranger = {"X-Forwarded-For": "77.1.1.1"}
    codes = [ask(url, "GET", "/novel", headers=stranger)[0] for _ in range(5)]
    assert codes == [404] * 3 + [429] * 2
    assert ask(url, "GET", "/novel", headers={"X-Forwarded-For": "77.1.1.2"})[0] == 404
