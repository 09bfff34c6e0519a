"""Names of files that strangers sent, and what must come of them (nst/guard/security.md)."""

from __future__ import annotations

import base64
import json
import re
import socket
from pathlib import Path

import pytest
from gradio_client import Client
from gradio_client.exceptions import ValidationError
from strangers import API, FILE, jpeg

from nst.runs.own_folder import own_folder


def elsewhere(secret) -> list[object]:
    """Return names of files that no visitor has sent here."""
    mine = own_folder().path
    (mine / "tmpupload").write_bytes(jpeg())
    with secret.open("rb") as opened:
        return [
            str(secret),
            "/etc/passwd",
            "/etc",
            "/dev/ptmx",
            "/dev/stdin",
            f"/proc/self/fd/{opened.fileno()}",
            "/proc/self/environ",
            "app.py",
            "../../etc/passwd",
            str(mine),
            str(mine / "lock"),
            str(mine / "tmpupload"),
            f"file://{secret}",
            "",
            7,
            ["/etc/passwd"],
            {"path": "/etc/passwd"},
        ]


MARKED = (
    lambda path: {"path": path},
    lambda path: {"path": path, "meta": FILE},
    lambda path: {"path": path, "url": None, "meta": {"_type": "something else"}},
    lambda path: {"path": None, "url": path, "meta": FILE},
    lambda path: {"url": path},
)


def test_no_file_of_the_host_is_read_and_none_is_told_from_another(crowd, secret):
    told = set()
    folder = str(Path(crowd.sent(jpeg())["path"]).parent)  # of an upload of one's own
    for path in (*elsewhere(secret), folder):
        for mark in MARKED:
            status, text = crowd.forecast(mark(path))
            assert status == 422, (path, text)
            told.add(json.dumps(json.loads(text)))
            status, answer = crowd.call(photo=mark(path), style=mark(path))
            assert status == 422, (path, answer)
            told.add(json.dumps(answer))
    (sentence,) = told
    assert "is not one that was sent here; upload it first" in sentence


def test_a_picture_that_is_gone_is_said_to_be(stranger):
    photo, style = stranger.sent(jpeg(seed=1)), stranger.sent(jpeg(seed=2))
    Path(photo["path"]).unlink()
    text = stranger.painted(photo=photo, style=style, size=64, iterations=10)
    assert "The photo is no longer kept here; add it again." in text


def test_nothing_is_fetched_from_an_address_in_any_argument(crowd, url):
    stranger = crowd
    photo, style = stranger.sent(jpeg(seed=1)), stranger.sent(jpeg(seed=2))
    with socket.create_server(("127.0.0.1", 0)) as trap:
        port = trap.getsockname()[1]
        for address in (
            f"http://127.0.0.1:{port}/a.png",
            f"http://localhost:{port}/a.png",
            f"HTTP://127.0.0.1:{port}/a.png",
            f"//127.0.0.1:{port}/a.png",
            "http://100.64.0.1/a.png",
            "https://example.com/a.png",
            "ftp://example.com/a.png",
        ):
            for name in ("photo", "iterations", "content_weight", "style_layers", "keep", "resume"):
                for mark in MARKED[1:4]:
                    given = {"photo": photo, "style": style, name: mark(address)}
                    status, told = stranger.call(**given)
                    assert status == 422, (address, name, told)
            assert stranger.ask("GET", f"{API}/file={address}")[0] in (403, 404)
            assert stranger.ask("GET", f"{API}/proxy={address}")[0] == 404
            told = stranger.tool(photo=address, style=address)
            assert (
                "Nothing is fetched from an address" in told or "was sent here" in told or "Invalid" in told
            )
            # An address inside an event of the page, such as the brush's.
            paint = stranger.event("go", "submit")
            assert stranger.fire(paint, brush=MARKED[1](address))[0] == 422
        # Gradio's own client is told so, too.
        photo = MARKED[1](f"http://127.0.0.1:{port}/a.png")
        with pytest.raises(ValidationError, match="Nothing is fetched from an address"):
            Client(url, verbose=False).predict(photo, style, api_name="/stylize")
        trap.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has come
            trap.accept()


def test_the_tool_for_assistants_reads_no_file_of_the_host(stranger, secret):
    data = "data:image/png;base64," + base64.b64encode(jpeg()).decode()
    for path in (str(secret), "/etc/passwd"):
        for mark in MARKED[:2]:
            told = stranger.tool(photo=mark(path), style=data)
            assert "was sent here" in told
            assert "isError" in told


def test_files_sent_as_data_are_kept_as_uploads_and_damaged_ones_are_said(stranger):
    data = "data:image/png;base64," + base64.b64encode(jpeg(seed=4)).decode()
    text = stranger.painted(
        photo={"url": data, "path": "x.png", "meta": FILE}, style={"path": data}, size=64, iterations=10
    )
    assert "event: complete" in text
    status, told = stranger.call(photo={"path": "data:image/png;base64,!!!"}, style={"path": data})
    assert status == 422
    assert "damaged" in told["error"]


def test_no_answer_names_a_path(stranger, secret):
    photo = stranger.sent(jpeg(seed=1))
    for name in ("iterations", "content_weight", "style_layers", "size", "colors", "coarse_to_fine", "seed"):
        for value in (photo, [photo["path"]], {"a": photo["path"]}):
            status, told = stranger.call(**{"photo": photo, "style": photo, name: value})
            text = json.dumps(told) if status != 200 else stranger.result(told["event_id"])
            assert "event: complete" not in text
            assert str(own_folder().path) not in text
            assert re.search(r"is (a|one|either)|not what is taken|a list|an object|error", text), text


def test_a_foreign_host_name_sees_the_page_and_nothing_that_is_somebodys(stranger):
    """A name that somebody lets point to this machine (DNS rebinding) is answered: tunnels have such, too.

    It finds what any stranger finds: runs are asked for by a key that the browser keeps for each name apart.
    """
    foreign = {"Host": "evil.example.org", "X-Gradio-Server": "http://other.example"}
    status, _, page = stranger.ask("GET", "/", headers=foreign)
    assert status == 200
    assert set(re.findall(rb'og:url" content="([^"]*)', page)) == {b"http://evil.example.org/"}
    assert b"other.example" not in stranger.ask("GET", "/config", headers=foreign)[2]
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    foreign["Accept"] = "application/json, text/event-stream"
    status, _, told = stranger.ask("POST", f"{API}/mcp/", asked, foreign)
    assert status == 200
    assert b"stylize" in told
    assert stranger.ask("GET", f"{API}/file=/etc/passwd", headers=foreign)[0] == 403
