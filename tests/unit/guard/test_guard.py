"""What gets through to Gradio, and what is answered before it; another app stands in Gradio's place."""

import asyncio
import base64
import json
import re
import time
from contextlib import closing
from itertools import product
from types import SimpleNamespace
from unittest.mock import AsyncMock

import anyio
import gradio as gr
import httpx
import pytest
from conftest import complete
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from strangers import API, form, mcp

from nst.gradio_faults.inputs import Picture
from nst.guard import bodies, service
from nst.guard.budgets import Budgets
from nst.guard.clients import Call
from nst.guard.guard import Guard
from nst.guard.service import Service
from nst.runs.limits import Limits
from nst.runs.run import Listeners
from nst.runs.storage import Files

STYLIZE = f"{API}/call/v2/stylize"
DATA = "data:image/png;base64," + base64.b64encode(b"carried").decode()
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
        self.kept = self.service.files._folders

    async def app(self, scope, receive, send) -> None:
        request = Request(scope, receive)
        self.came.append((request, await request.body()))
        await PlainTextResponse("hello", self.status)(scope, receive, send)

    def ask(self, method: str, path: str, body=None, peer: str = "8.8.8.8", **more) -> httpx.Response:
        """Return an answer; a body that is a dictionary is sent as JSON."""
        more["json" if isinstance(body, dict) else "content"] = body

        async def as_starlette_does(scope, receive, send) -> None:
            await self.guard({**scope, "app": None}, receive, send)

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(as_starlette_does, client=(peer, 1))
            async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
                return await client.request(method, path, **more)

        return complete(asked())

    def upload(self, body: bytes) -> httpx.Response:
        return self.ask("POST", f"{API}/upload", body, headers=FORM)


@pytest.fixture
def behind(blocks):
    found = Behind(blocks)
    yield found
    found.service.files.close()


def test_other_ways_of_writing_a_route_find_nothing(behind):
    paths = ["/%0d%0aSet-Cookie:x", "/" + "a" * 5000, "/?" + "a" * 9000, "/assets/%2e%2e/%2e%2e/app.py"]
    paths += [API + path for path in ("/upload/", "/mcp/</script><script>", "/call/v2/_forecast")]
    for method, path in product(("GET", "POST", "PUT"), paths):
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


async def endless(first: bytes, size: int, pause: float = 0.0):
    yield first
    for _ in range(1000):
        await asyncio.sleep(pause)
        yield b"x" * size


@pytest.mark.parametrize("head", [{}, {"Content-Length": str(10**9)}], ids=["chunks", "length"])
def test_a_body_without_end_is_refused_and_leaves_nothing(behind, head):
    for path in (STYLIZE, f"{API}/upload", f"{API}/queue/join", f"{API}/reset"):
        answer = behind.ask("POST", path, endless(form(b"")[0][:-9], 2**20), headers={**FORM, **head})
        assert answer.status_code == 413
        assert re.search(r"send at most \d+ [MK]B\.", answer.json()["detail"])
    assert not behind.came
    assert not behind.kept


def test_a_slow_body_is_not_waited_for(behind, monkeypatch):
    monkeypatch.setattr(bodies, "PERIOD", 0.1)
    began = time.monotonic()
    for pause in (0.02, 60.0):
        assert behind.ask("POST", f"{API}/queue/join", endless(b"{", 1000, pause)).status_code == 408
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("path", ["run/predict", "queue/join", "call/v2/stylize", "call/stylize", "mcp/"])
def test_json_that_is_dear_or_none_is_not_handed_on(behind, path):
    dear = [b"[" + b"[]," * 1_000_000 + b"[]]", b'{"data": [' + b"1," * 6000 + b"1]}", b"[" * 200_000]
    broken = [b'{"a":' * 499, b"1" * 900_000, b"\xff\xfe{", b"", b'{"data": [NaN]}', b'{"photo": 1e999}']
    began = time.monotonic()
    for status, refused in ((413, dear), (400, broken), (422, [b"null"])):
        for body in refused:
            assert behind.ask("POST", f"{API}/{path}", body).status_code == status, body[:20]
    assert time.monotonic() - began < 5  # parsed, the first one takes several times as long
    assert not behind.came


def test_an_uploaded_picture_is_shown_whole_or_in_part_and_an_uploaded_page_never(behind):
    (path,) = behind.upload(form(b"0123456789")[0]).json()
    part = behind.ask("GET", f"{API}/file={path}", headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, b"2345")
    assert part.headers["content-type"] == "image/jpeg"
    assert "content-disposition" not in part.headers
    assert behind.ask("HEAD", f"{API}/file={path}").status_code == 200
    for name in ("page.html", "drawing.svg", "script.js", "noname"):
        (path,) = behind.upload(form(b"<script>", name)[0]).json()
        head = behind.ask("GET", f"{API}/file={path}").headers
        assert head["content-type"] == "application/octet-stream"
        assert head["content-disposition"].startswith("attachment")
        assert head["x-content-type-options"] == "nosniff"


def test_an_upload_that_cannot_be_kept_leaves_nothing(behind):
    other_field = form(b"x" * 1000, field="file")[0]
    no_name = b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--"
    for body in (other_field, no_name, b"", b"--x\r\n\r\n"):
        assert behind.upload(body).status_code == 400
    assert behind.ask("POST", f"{API}/upload", form(b"x")[0]).status_code == 400  # not said to be a form
    behind.service.files.most = 2**20
    answer = behind.upload(form(b"x" * 2**21)[0])
    assert answer.status_code == 507
    assert "no room left" in answer.json()["error"]
    assert not behind.kept


def test_an_upload_that_breaks_off_leaves_nothing_and_gets_no_answer(behind):
    scope = {"type": "http", "method": "POST", "path": f"{API}/upload", "query_string": b""}
    scope |= {"headers": [(b"content-type", FORM["Content-Type"].encode())], "client": ("8.8.8.8", 1)}
    send, body = AsyncMock(), form(b"x" * 200_000)[0]
    for cut in (0, 100, 100_000):
        begun = {"type": "http.request", "body": body[:cut], "more_body": True}
        receive = AsyncMock(side_effect=[begun, {"type": "http.disconnect"}])
        complete(behind.guard(scope, receive, send))
    send.assert_not_awaited()
    assert not behind.kept


def test_a_file_may_come_along_or_be_named_by_its_address_here(behind):
    (path,) = behind.upload(form(b"uploaded")[0]).json()
    here = f"https://any.name{API}/file={path}"
    for photo, content in ((DATA, b"carried"), (here, b"uploaded")):
        behind.ask("POST", STYLIZE, {"photo": {"url": photo}, "style": ""})
        found = json.loads(behind.came.pop()[1])["photo"]["path"]
        assert behind.service.files.find(found).read_bytes() == content
        # An assistant sends texts.
        behind.ask("POST", f"{API}/mcp/", mcp("tools/call", arguments={"photo": photo}))
        found = json.loads(behind.came.pop()[1])["params"]["arguments"]["photo"]
        assert behind.ask("GET", found).content == content
    damaged = behind.ask("POST", STYLIZE, {"photo": {"path": "data:image/png;base64,!!!"}})
    assert (damaged.status_code, "damaged; send it again" in damaged.text) == (422, True)


def test_only_what_fits_is_handed_on(behind):
    paint = {"data": [None, ""], "fn_index": 0, "session_hash": "s"}
    odd = [{"session_hash": one} for one in ("../x", "", "s" * 65, 7)]
    odd += [{"fn_index": one} for one in (1, -1, "0", True, [0])]
    odd += [{"data": one} for one in ([None], [None, "", None], None)]
    unfit, no_file = "Use via API or MCP", "photo is no file; upload one"
    for path, body, sentence in (
        *(("queue/join", {**paint, **change}, unfit) for change in odd),
        ("queue/join", {**paint, "data": ["/etc/passwd", ""]}, no_file),
        ("run/predict", paint, unfit),
        ("call/stylize", {"data": [None] * 3}, unfit),
        ("call/v2/stylize", {"nonsense": 1}, unfit),
        ("call/v2/stylize", {"photo": 7}, no_file),
        ("call/v2/stylize", {"photo": None}, "photo and style are needed"),
    ):
        answer = behind.ask("POST", f"{API}/{path}", body)
        assert (answer.status_code, sentence in answer.json()["error"]) == (422, True), body
    assert not behind.came
    for path, number in (("queue/join", 0), ("run/predict", 1)):
        event = {**paint, "fn_index": number}
        behind.ask("POST", f"{API}/{path}", {**event, "event_id": "another's", "batched": True})
        assert json.loads(behind.came.pop()[1]) == event
    # What is left out at the end is as on a fresh page.
    assert behind.ask("POST", f"{API}/call/stylize", {"data": []}).text == "hello"
    assert json.loads(behind.came.pop()[1]) == {"data": [None, None]}
    behind.status = 500  # Gradio's answer, without a word, to what does not fit
    answer = behind.ask("POST", STYLIZE, {"photo": None, "style": ""})
    assert answer.status_code == 422
    assert unfit in answer.json()["detail"][0]["message"]


def test_what_nobody_foresaw_names_no_path_and_has_a_number(behind, monkeypatch, caplog):
    def refuses(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/somewhere/secret")

    monkeypatch.setattr(Files, "add_upload", refuses)
    monkeypatch.setattr(behind.guard, "app", refuses)
    for answer in (
        behind.ask("GET", "/config"),
        behind.upload(form(b"x")[0]),
        behind.ask("POST", STYLIZE, {"photo": {"path": DATA}}),
        behind.ask("POST", f"{API}/mcp/", mcp("tools/call", arguments={"photo": DATA})),
    ):
        (number,) = re.findall(r"Something broke here \(error ([0-9a-f]{8})\); try again\.", answer.text)[:1]
        assert number in caplog.text
        assert not re.search("somewhere|Errno", answer.text)


def test_a_session_that_nobody_knows_is_said_to_be_so(behind):
    assert '"session_not_found": true' in behind.ask("GET", f"{API}/queue/data?session_hash=nobody").text
    assert behind.ask("GET", f"{API}/call/stylize/nobody").status_code == 404
    assert not behind.came


def test_so_many_calls_of_assistants_are_under_way(behind):
    call = mcp("tools/call", arguments={})
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


def test_who_would_not_be_served_is_told(behind, monkeypatch):
    behind.guard.service = host = Service(Limits(size=64, seconds=60, waiting=1))
    behind.guard.demo = SimpleNamespace(limiter=None)
    monkeypatch.setattr(service, "_AT_HAND", 0.2)

    def health() -> tuple[int, dict]:
        answer = behind.ask("GET", "/health")
        return answer.status_code, answer.json()

    with closing(host):
        assert health() == (200, {"status": "ok", "painting": 0, "waiting": 0})
        for _ in range(2):
            complete(host.painter.join(""))
        assert health() == (200, {"status": "full", "painting": 0, "waiting": 2})
        with monkeypatch.context() as patch:
            patch.setattr(host.decoder, "stalled", lambda: 100.0)
            assert health()[0] == 503
        assert health()[0] == 200
        # Of Gradio's threads every event takes one; here there is none left.
        behind.guard.demo.limiter = anyio.CapacityLimiter(0)
        assert health() == (503, {"status": "stuck", "painting": 0, "waiting": 2})
