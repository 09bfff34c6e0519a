"""What gets through to Gradio, and what is answered before it; another app stands in Gradio's place."""

from __future__ import annotations

import asyncio
import json
import re
import time
from types import SimpleNamespace

import anyio
import gradio as gr
import httpx
import pytest
from conftest import complete
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from strangers import API, form

from nst.gradio_faults.inputs import Picture
from nst.guard import bodies, budgets, service
from nst.guard.budgets import Budgets
from nst.guard.clients import Call
from nst.guard.guard import Guard
from nst.guard.service import Service
from nst.runs.limits import Limits
from nst.runs.run import Listeners
from nst.runs.storage import Files

STYLIZE = f"{API}/call/v2/stylize"
FORM = {"Content-Type": "multipart/form-data; boundary=x"}


@pytest.fixture(scope="module")
def blocks():
    with gr.Blocks() as demo:
        inputs = [Picture(elem_id="api-photo", label="photo"), gr.Textbox(elem_id="api-style")]
        gr.Button().click(lambda *given: None, inputs, api_name="stylize")
        gr.Button().click(lambda *given: None, inputs, queue=False)
    return demo


class Behind:
    """What stands behind the guard, how it answers, and what has come through."""

    def __init__(self, demo: gr.Blocks) -> None:
        self.came: list[tuple[Request, bytes]] = []
        self.status = 200
        self.service = SimpleNamespace(budgets=Budgets(), files=Files(), calls={}, listeners=Listeners())
        self.guard = Guard(self.app, self.service, demo)

    async def app(self, scope, receive, send) -> None:
        request = Request(scope, receive)
        self.came.append((request, await request.body()))
        await PlainTextResponse("hello", self.status)(scope, receive, send)

    def ask(self, method: str, path: str, body=None, peer: str = "8.8.8.8", **more) -> httpx.Response:
        """Return an answer; a body that is a dictionary is sent as JSON."""
        if isinstance(body, dict):
            body = json.dumps(body).encode()

        async def as_starlette_does(scope, receive, send) -> None:
            await self.guard({**scope, "app": None}, receive, send)

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(as_starlette_does, client=(peer, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
                return await client.request(method, path, content=body, **more)

        return complete(asked())

    def upload(self, body: bytes) -> httpx.Response:
        return self.ask("POST", f"{API}/upload", body, headers=FORM)

    def files(self) -> list:
        """Return what is kept."""
        return list(self.service.files._folders)


@pytest.fixture
def behind(blocks):
    found = Behind(blocks)
    yield found
    found.service.files.close()


# Routes and headers


def test_other_ways_of_writing_a_route_find_nothing(behind):
    for path in (
        "/%0d%0aSet-Cookie:x",
        "/" + "a" * 5000,
        "/?" + "a" * 9000,
        f"{API}/upload/",
        f"/x{API}/upload",
        f"{API}/mcp/</script><script>alert(1)</script>",
        "/static/..%2f..%2fapp.py",
        "/assets/%2e%2e/%2e%2e/app.py",
        f"{API}/call/v2/_forecast",
    ):
        for method in ("GET", "POST", "PUT"):
            answer = behind.ask(method, path)
            assert answer.status_code == 404, (method, path)
            assert answer.json()["error"] == "There is nothing here."
            assert "sandbox" in answer.headers["content-security-policy"]
    assert not behind.came


def test_only_the_page_runs_scripts_and_only_its_own(behind):
    page, other = behind.ask("GET", "/"), behind.ask("GET", "/static/some.html")
    assert "sandbox" in other.headers["content-security-policy"]
    policy = page.headers["content-security-policy"]
    assert f"'nonce-{behind.came[0][0].scope['nonce']}'" in policy
    assert "'unsafe-inline'" not in next(part for part in policy.split(";") if "script-src" in part)
    assert "frame-ancestors" not in policy  # the page may be embedded
    assert page.headers["x-content-type-options"] == other.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(("peer", "proxied"), [("8.8.8.8", False), ("10.0.0.1", True)])
def test_what_a_caller_says_of_himself_blames_nobody(behind, peer, proxied):
    names = ("x-forwarded-for", "x-forwarded-host", "forwarded", "x-nst-client", "x-nst-call")
    said = dict.fromkeys((*names, "x-gradio-server"), "1.2.3.4")
    behind.ask("GET", "/config", peer=peer, headers=said)
    seen = behind.came[0][0].headers
    assert seen["x-nst-client"] == ("1.2.3.4/32" if proxied else "8.8.8.8/32")
    assert "x-nst-call" not in seen
    assert "x-gradio-server" not in seen
    assert all((name in seen) is proxied for name in names[:3])


# Budgets and bodies


async def endless(first: bytes = b"", pause: float = 0.0):
    yield first
    for _ in range(1000):
        await asyncio.sleep(pause)
        yield b"x" * (1000 if pause else 2**20)


@pytest.mark.parametrize("head", [{}, {"Content-Length": str(10**9)}], ids=["chunks", "length"])
def test_a_body_without_end_is_refused_and_leaves_nothing(behind, head):
    for path in (STYLIZE, f"{API}/upload", f"{API}/queue/join", f"{API}/reset"):
        answer = behind.ask("POST", path, endless(form(b"")[0][:-9]), headers={**FORM, **head})
        assert answer.status_code == 413
        assert re.search(r"send at most \d+ [MK]B\.", answer.json()["detail"])
    assert not behind.came
    assert not behind.files()


def test_a_slow_body_is_not_waited_for(behind, monkeypatch):
    monkeypatch.setattr(bodies, "PERIOD", 0.1)
    began = time.monotonic()
    for pause in (0.02, 60.0):
        answer = behind.ask("POST", f"{API}/queue/join", endless(b"{", pause))
        assert answer.status_code == 408
    assert time.monotonic() - began < 5


def test_what_is_on_its_way_counts_as_kept(behind):
    behind.service.files.most = 2**20
    answer = behind.upload(form(b"x" * 2**21)[0])
    assert answer.status_code == 507
    assert "no room left" in answer.json()["error"]
    assert not behind.files()


def test_json_that_is_dear_or_none_is_not_handed_on(behind):
    for body, status in (
        (b"[" + b"[]," * 1_000_000 + b"[]]", 413),
        (b'{"data": [' + b"1," * 6000 + b"1]}", 413),
        (b"[" * 200_000, 413),
        (b'{"a":' * 499, 400),
        (b"1" * 900_000, 400),
        (b"\xff\xfe{", 400),
        (b"", 400),
        (b"null", 422),
        (b'{"data": [NaN]}', 400),
        (b'{"event_id": -Infinity}', 400),
        (b'{"photo": 1e999}', 400),
    ):
        for path in ("run/predict", "queue/join", "call/v2/stylize", "call/stylize", "mcp/", "cancel"):
            began = time.monotonic()
            small = path == "cancel" and len(body) > budgets.OTHERS.body
            answer = behind.ask("POST", f"{API}/{path}", body)
            assert answer.status_code == (413 if small else status), (path, body[:20])
            assert time.monotonic() - began < 5  # parsed, the first one takes several times as long
    assert not behind.came


# Files


def test_an_uploaded_page_is_never_shown_as_one(behind):
    for name in ("page.html", "drawing.svg", "page.xhtml", "script.js", "noname"):
        (path,) = behind.upload(form(b"<script>", name)[0]).json()
        head = behind.ask("GET", f"{API}/file={path}").headers
        assert head["content-type"] == "application/octet-stream"
        assert head["content-disposition"].startswith("attachment")
        assert head["x-content-type-options"] == "nosniff"


def test_an_upload_is_served_whole_or_in_part(behind):
    (path,) = behind.upload(form(b"0123456789")[0]).json()
    part = behind.ask("GET", f"{API}/file={path}", headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, b"2345")
    assert part.headers["content-type"] == "image/jpeg"
    assert "content-disposition" not in part.headers
    assert behind.ask("HEAD", f"{API}/file={path}").status_code == 200


def test_an_upload_that_is_no_form_of_files_leaves_nothing(behind):
    other_field = form(b"x" * 1000, field="file")[0]
    no_name = b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--"
    for body in (other_field, no_name, b"", b"--x", b"--x\r\n\r\n"):
        assert behind.upload(body).status_code == 400
        assert behind.ask("POST", f"{API}/upload", body).status_code == 400
    assert not behind.files()


def test_an_upload_that_breaks_off_leaves_nothing_and_gets_no_answer(behind):
    scope = {"type": "http", "method": "POST", "path": f"{API}/upload", "query_string": b""}
    scope |= {"headers": [(b"content-type", FORM["Content-Type"].encode())], "client": ("8.8.8.8", 1)}
    answers: list[dict] = []

    async def send(message: dict) -> None:
        answers.append(message)

    for cut in (0, 10, 100, 100_000, 199_990):
        sent = {"type": "http.request", "body": form(b"x" * 200_000)[0][:cut], "more_body": True}
        messages = iter([sent, {"type": "http.disconnect"}])

        async def receive(messages=messages) -> dict:
            return next(messages)

        complete(behind.guard(scope, receive, send))
    assert not answers
    assert not behind.files()


# Events


def test_only_events_that_fit_are_handed_on(behind):
    paint = {"data": [None, ""], "fn_index": 0, "session_hash": "s"}
    ways = {"queue/join": 0, "run/predict": 1}
    for way, number in ways.items():
        event = {**paint, "fn_index": number, "event_id": "another's", "batched": True}
        assert behind.ask("POST", f"{API}/{way}", event).status_code == 200
        assert json.loads(behind.came.pop()[1]) == {**paint, "fn_index": number}
        odd = [{**event, "session_hash": one} for one in ("../x", "", "s" * 65, "a b", 7, ["s"])]
        odd += [{**event, "fn_index": one} for one in (1 - number, -1, 10**6, "0", None, True, 1.0, [0])]
        odd += [{**event, "data": one} for one in ([], [None], [None, "", None], None, {})]
        for wrong in odd:
            answer = behind.ask("POST", f"{API}/{way}", wrong)
            assert answer.status_code == 422, wrong
            assert "Use via API or MCP" in answer.json()["error"]
    for path, wrong in (("v2/stylize", {"nonsense": 1}), ("stylize", {"data": [None] * 3}), ("stylize", {})):
        assert behind.ask("POST", f"{API}/call/{path}", wrong).status_code == 422
    for named in ({}, {"photo": None}, {"style": None}):
        answer = behind.ask("POST", STYLIZE, named)
        assert (answer.status_code, "photo and style are needed" in answer.text) == (422, True)
    assert not behind.came


@pytest.mark.parametrize("wrong", ["/etc/passwd", 7, ["x"], {"name": "x"}])
def test_what_is_no_file_for_a_picture_is_said(behind, wrong):
    for way, body in (
        ("call/v2/stylize", {"photo": wrong}),
        ("call/stylize", {"data": [wrong]}),
        ("queue/join", {"data": [wrong, ""], "fn_index": 0}),
    ):
        answer = behind.ask("POST", f"{API}/{way}", body)
        assert answer.status_code == 422
        assert answer.json()["error"].startswith("photo is no file; upload one")


def test_what_gradio_has_no_words_for_gets_a_sentence(behind):
    given = {"photo": None, "style": ""}
    assert behind.ask("POST", STYLIZE, given).text == "hello"
    behind.status = 500
    answer = behind.ask("POST", STYLIZE, given)
    assert answer.status_code == 422
    assert "Use via API or MCP" in answer.json()["detail"][0]["message"]


def test_what_nobody_foresaw_names_no_path_and_has_a_number(behind, monkeypatch, caplog):
    def refuses(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/somewhere/secret")

    monkeypatch.setattr(Files, "add_upload", refuses)
    monkeypatch.setattr(behind.guard, "app", refuses)
    picture, call = "data:image/png;base64,AAAA", {"id": 1, "method": "tools/call"}
    for answer in (
        behind.ask("GET", "/config"),
        behind.upload(form(b"x")[0]),
        behind.ask("POST", STYLIZE, {"photo": {"path": picture}}),
        behind.ask("POST", f"{API}/mcp/", {**call, "params": {"arguments": {"photo": picture}}}),
    ):
        (number,) = re.findall(r"Something broke here \(error ([0-9a-f]{8})\); try again\.", answer.text)[:1]
        assert number in caplog.text
        assert "somewhere" not in answer.text
        assert "Errno" not in answer.text


def test_a_session_that_nobody_knows_is_said_to_be_so(behind):
    assert '"session_not_found": true' in behind.ask("GET", f"{API}/queue/data?session_hash=nobody").text
    assert behind.ask("GET", f"{API}/call/stylize/nobody").status_code == 404
    assert not behind.came


def test_so_many_calls_of_assistants_are_under_way(behind):
    call = {"id": 1, "method": "tools/call", "params": {"arguments": {}}}
    assert behind.ask("POST", f"{API}/mcp/", call).text == "hello"
    word = behind.came[0][0].headers["x-nst-call"]
    assert not behind.service.calls
    behind.service.calls |= {str(number): Call("9.9.9.9/32") for number in range(16)}
    told = behind.ask("POST", f"{API}/mcp/", call).json()["result"]
    assert told["isError"]
    assert "This host is full" in told["content"][0]["text"]
    # Whoever comes with the word of a call is charged as whoever made it.
    behind.service.calls[word] = Call("9.9.9.9/32")
    behind.ask("GET", "/config", peer="127.0.0.1", headers={"x-nst-call": word})
    assert behind.came[-1][0].headers["x-nst-client"] == "9.9.9.9/32"


# Health


async def used_up() -> anyio.CapacityLimiter:
    limiter = anyio.CapacityLimiter(1)
    await limiter.acquire_on_behalf_of("somebody")
    return limiter


def test_who_would_not_be_served_is_told(behind, monkeypatch):
    behind.guard.service = host = Service(Limits(size=64, seconds=60, waiting=1))
    behind.guard.demo = demo = SimpleNamespace(limiter=None)
    monkeypatch.setattr(service, "_AT_HAND", 0.2)

    def told() -> tuple[int, str]:
        answer = behind.ask("GET", "/health")
        assert answer.json().keys() == {"status", "painting", "waiting"}
        return answer.status_code, answer.json()["status"]

    try:
        assert told() == (200, "ok")
        tickets = [complete(host.painter.join("")) for _ in range(2)]
        assert told() == (200, "full")
        for ticket in tickets:
            complete(host.painter.leave(ticket))
        with monkeypatch.context() as patch:
            patch.setattr(host.decoder, "stalled", lambda: 100.0)
            assert told() == (503, "stuck")
        assert told() == (200, "ok")
        # As every event does, it takes a thread of Gradio's; here there is none left.
        demo.limiter = complete(used_up())
        assert told() == (503, "stuck")
    finally:
        host.close()
