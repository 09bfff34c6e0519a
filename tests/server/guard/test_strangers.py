"""Names of files that strangers sent, and what must come of them (nst/guard/security.md)."""

from __future__ import annotations

import base64
import json
import re
import socket
import threading
from pathlib import Path

import pytest
from playwright.sync_api import expect
from strangers import API, FILE, jpeg

from nst.runs.own_folder import own_folder
from nst.runs.storage import Files


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
    for path in elsewhere(secret):
        for mark in MARKED:
            status, text = crowd.forecast(mark(path))
            assert status == 422, (path, text)
            told.add(text)
            status, answer = crowd.call(photo=mark(path), style=mark(path))
            assert status == 422, (path, answer)
            told.add(json.dumps(answer))
    (sentence,) = told
    assert "is not one that was sent here; upload it first" in sentence


def test_a_path_that_is_no_marked_file_is_refused_too(stranger, secret):
    style = stranger.sent(jpeg(seed=5))
    status, told = stranger.call(photo=str(secret), style=style)
    text = json.dumps(told) if status != 200 else stranger.result(told["event_id"])
    assert "event: complete" not in text
    assert str(secret) not in text


def test_an_upload_of_ones_own_paints_and_its_folder_does_not(stranger):
    photo, style = stranger.sent(jpeg(seed=1)), stranger.sent(jpeg(seed=2))
    assert "event: complete" in stranger.painted(photo=photo, style=style, size=64, iterations=10)
    folder = {"path": photo["path"].rpartition("/")[0], "meta": FILE}
    assert stranger.forecast(folder)[0] == 422


def test_a_picture_that_is_gone_is_said_to_be(stranger):
    photo, style = stranger.sent(jpeg(seed=1)), stranger.sent(jpeg(seed=2))
    Path(photo["path"]).unlink()
    text = stranger.painted(photo=photo, style=style, size=64, iterations=10)
    assert "The photo is no longer kept here; add it again." in text


class Trap(threading.Thread):
    """Another server on this machine, which counts who asks it."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port, self.asked = self.socket.getsockname()[1], 0
        self.start()

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.asked += 1
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret")
            connection.close()

    def __enter__(self) -> Trap:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def test_nothing_is_fetched_from_an_address_in_any_argument(crowd):
    stranger = crowd
    photo, style = stranger.sent(jpeg(seed=1)), stranger.sent(jpeg(seed=2))
    with Trap() as trap:
        for address in (
            f"http://127.0.0.1:{trap.port}/a.png",
            f"http://localhost:{trap.port}/a.png",
            f"HTTP://127.0.0.1:{trap.port}/a.png",
            f"//127.0.0.1:{trap.port}/a.png",
            "http://100.64.0.1/a.png",
            "https://example.com/a.png",
            "ftp://example.com/a.png",
        ):
            for name in ("photo", "iterations", "content_weight", "style_layers", "keep", "resume"):
                for mark in MARKED[1:4]:
                    given = {"photo": photo, "style": style, name: mark(address)}
                    status, told = stranger.call(**given)
                    assert status == 422, (address, name, told)
            status, _, body = stranger.ask("GET", f"{API}/file={address}")
            assert status in (403, 404)
            assert b"secret" not in body
            status, _, body = stranger.ask("GET", f"{API}/proxy={address}")
            assert status == 404
            told = stranger.tool(photo=address, style=address)
            assert (
                "Nothing is fetched from an address" in told or "was sent here" in told or "Invalid" in told
            )
            # An address inside an event of the page, such as the brush's.
            paint = stranger.event("go", "submit")
            status, _, _ = stranger.fire(paint, brush=MARKED[1](address))
            assert status == 422
        assert trap.asked == 0


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


def test_a_script_in_an_address_is_not_shown(stranger, browser, url):
    policy = stranger.ask("GET", "/")[1]["content-security-policy"]
    script = next(part for part in policy.split(";") if "script-src" in part)
    assert "unsafe-inline" not in script
    assert "frame-ancestors" not in policy  # the page may be embedded
    for path in (f"{API}/mcp/</script><script>alert(1)</script>", f"{API}/mcp/", "/nowhere", f"{API}/file=x"):
        _, head, body = stranger.ask("GET", path)
        assert b"<script" not in body
        assert "sandbox" in head["content-security-policy"]
    page = browser.new_page()
    ran = []
    page.on("dialog", lambda dialog: (ran.append(dialog.message), dialog.dismiss()))
    for path in (
        "mcp/</script><script>alert(1)</script>",
        "mcp/%3C/script%3E%3Cscript%3Ealert(1)%3C/script%3E",
    ):
        page.goto(f"{url}gradio_api/{path}")
    # Neither does one that came into the page itself run.
    page.goto(url)
    expect(page.locator("#paint")).to_be_visible()
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')")
    page.wait_for_timeout(300)
    assert page.evaluate("window.ran") is None
    assert ran == []
    page.close()


def test_an_uploaded_page_is_never_shown_as_one(stranger):
    for name in ("page.html", "drawing.svg", "page.xhtml", "script.js", "noname"):
        status, told = stranger.upload(b"<script>alert(1)</script>", name)
        assert status == 200
        _, head, _ = stranger.ask("GET", f"{API}/file={told[0]}")
        assert head["content-type"] == "application/octet-stream"
        assert head["content-disposition"].startswith("attachment")
        assert head["x-content-type-options"] == "nosniff"


def test_no_answer_names_a_path(stranger, secret):
    photo = stranger.sent(jpeg(seed=1))
    for name in ("iterations", "content_weight", "style_layers", "size", "colors", "coarse_to_fine", "seed"):
        for value in (photo, [photo["path"]], {"a": photo["path"]}):
            status, told = stranger.call(**{"photo": photo, "style": photo, name: value})
            text = json.dumps(told) if status != 200 else stranger.result(told["event_id"])
            assert "event: complete" not in text
            assert str(own_folder().path) not in text
            assert re.search(r"is (a|one|either)|not what is taken|a list|an object|error", text), text


def test_a_cache_that_can_no_longer_be_written_is_a_sentence_without_its_path(stranger, monkeypatch):
    def refuses(*_):
        raise PermissionError(13, "Permission denied", "/somewhere/secret")

    monkeypatch.setattr(Files, "add_upload", refuses)
    data = "data:image/png;base64," + base64.b64encode(jpeg()).decode()
    told = [
        stranger.tool(photo=data, style=data),
        json.dumps(stranger.call(photo={"path": data}, style=None)[1]),
    ]
    told.append(json.dumps(stranger.upload(jpeg())[1]))
    for text in told:
        assert "/somewhere" not in text
        assert "Errno" not in text
        assert re.search(r"Something broke here \(error [0-9a-f]{8}\); try again\.", text), text


@pytest.mark.parametrize(
    "sent",
    ["bytes=", "bytes=-", "bytes=5-2", "bytes=0-99999999999999999999", "x", "bytes=a-b", "bytes=0-0,1-1"],
)
def test_an_odd_range_is_no_fault(stranger, sent):
    photo = stranger.sent(jpeg(seed=1))
    status, _, body = stranger.ask("GET", f"{API}/file={photo['path']}", headers={"Range": sent})
    assert status in (200, 206, 400, 416)
    assert b"Traceback" not in body


def test_a_part_of_a_file_can_be_fetched(stranger):
    data = jpeg(seed=1)
    photo = stranger.sent(data)
    status, head, body = stranger.ask("GET", f"{API}/file={photo['path']}", headers={"Range": "bytes=2-5"})
    assert (status, body) == (206, data[2:6])
    assert head["content-type"] == "image/jpeg"
    assert "content-disposition" not in head
    assert stranger.ask("HEAD", f"{API}/file={photo['path']}")[0] == 200
