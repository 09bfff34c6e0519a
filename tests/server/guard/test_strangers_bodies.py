"""What strangers sent in bodies and uploads, and what must come of it (nst/guard/security.md)."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time

import pytest
from strangers import API, Stranger, files_below, form, gif_of_comments, jpeg, slow_jpeg

from nst.runs.own_folder import own_folder


def uploads() -> int:
    return len(files_below(own_folder().path))


def raw(url: str, sent: bytes, more: bytes = b"", wait: float = 0.2) -> bytes:
    """Send bytes, wait, send more and hang up; return what came back."""
    host, port = url.split("/")[2].split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(sent)
        time.sleep(wait)
        if more:
            connection.sendall(more)
        connection.settimeout(0.3)
        try:
            return connection.recv(65_536)
        except (TimeoutError, ConnectionResetError):
            return b""


def test_uploads_that_come_to_nothing_leave_nothing(url, stranger):
    before = uploads()
    body, _ = form(b"x" * 200_000)
    head = (
        f"POST {API}/upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    for cut in range(20):
        raw(url, head + body[: len(body) * cut // 20], wait=0.01)
    for name in ("file", "data", "", "files[]"):
        status, told = stranger.upload(b"x" * 100_000, field=name)
        assert status == 400, told
    assert stranger.ask("POST", f"{API}/upload", b"x" * 1000, {"Content-Type": "text/plain"})[0] == 400
    for broken in (b"", b"--x", b"--x\r\n\r\n", b"--x\r\nContent-Disposition: form-data\r\n\r\nx\r\n--x--"):
        assert stranger.ask("POST", f"{API}/upload", broken, form(b"")[1])[0] == 400
    began = time.monotonic()
    while uploads() != before:
        assert time.monotonic() - began < 20
        time.sleep(0.1)


def test_an_upload_without_end_is_refused_and_leaves_nothing(url):
    before = uploads()
    part = b"x" * 2**20
    head, _ = form(b"")
    head = head.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    connection = http.client.HTTPConnection(url.split("/")[2], timeout=60)

    def endless():
        yield head
        for _ in range(60):
            yield part

    told = None
    try:
        connection.request(
            "POST", f"{API}/upload", endless(), {"Content-Type": "multipart/form-data; boundary=x"}
        )
        told = connection.getresponse().status
    except (BrokenPipeError, ConnectionResetError):  # it hung up before it was all said
        pass
    assert told in (None, 413)
    assert uploads() == before


def test_a_slow_body_is_not_waited_for(url, monkeypatch):
    from nst.guard import bodies

    monkeypatch.setattr(bodies, "PERIOD", 0.5)
    head = f"POST {API}/queue/join HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n".encode()
    told = raw(url, head, wait=1.5)
    assert b"408" in told.split(b"\r\n")[0]


def test_what_is_slow_to_read_holds_nobody_up(url):
    attackers = [Stranger(url, f"5.5.5.{number}") for number in range(1, 4)]
    files = [
        one.sent(data)
        for one, data in zip(attackers, (slow_jpeg(), gif_of_comments(), slow_jpeg(3000)), strict=True)
    ]
    threads = [
        threading.Thread(
            target=one.painted, kwargs={"photo": file, "style": file, "size": 64, "iterations": 10}
        )
        for one, file in zip(attackers, files, strict=True)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    somebody = Stranger(url, "6.6.6.6")
    photo, style = somebody.sent(jpeg(seed=1)), somebody.sent(jpeg(seed=2))
    began = time.monotonic()
    assert somebody.forecast(photo)[0] == 200
    assert "event: complete" in somebody.painted(photo=photo, style=style, size=64, iterations=10)
    took = time.monotonic() - began
    for thread in threads:
        thread.join()
    # Minutes, were they waited for; here their moments and one deadline.
    assert took < 45
    status, _, told = somebody.ask("GET", "/health")
    assert (status, json.loads(told)["status"]) == (200, "ok")


def test_threads_are_not_used_up_by_files_that_are_none(stranger):
    path = {"path": "/dev/ptmx"}
    for _ in range(45):
        stranger.forecast(path)
    assert stranger.forecast(stranger.sent(jpeg()))[0] == 200
    assert json.loads(stranger.ask("GET", "/health")[2])["status"] == "ok"


@pytest.mark.parametrize(
    "body",
    [
        b"[" + b"[]," * 5_000_000 + b"[]]",
        b'{"data": [' + b"{}," * 300_000 + b"{}]}",
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'{"data": ["' + b"x" * 5_000_000 + b'"]}',
        b"1" * 900_000,
        b"\xff\xfe{",
        b"",
        b"null",
    ],
    ids=[
        "empty lists",
        "empty objects",
        "deep",
        "deeper",
        "a long text",
        "a long number",
        "no text",
        "none",
        "null",
    ],
)
def test_json_that_is_dear_is_not_read(url, stranger, body):
    for path in ("run/predict", "queue/join", "cancel", "call/v2/stylize", "mcp/"):
        began = time.monotonic()
        try:
            status = stranger.ask("POST", f"{API}/{path}", body)[0]
        except (BrokenPipeError, ConnectionResetError):
            status = 413
        assert status in (400, 404, 413, 422), path
        assert time.monotonic() - began < 10  # parsed, the first one took 14 s on an idle machine


def test_what_passes_the_queue_is_only_what_has_none(stranger):
    film, forecast = stranger.making("film"), stranger.event("photo", "change")
    for event, way in ((film, "run/predict"), (forecast, "queue/join")):
        body = {"data": stranger.data(event), "fn_index": event["id"], "session_hash": "s"}
        status, _, told = stranger.ask("POST", f"{API}/{way}", body)
        assert status == 422, told
    for number in (-1, 10**6, "0", None, True, 1.0, [0]):
        body = {"data": [], "fn_index": number, "session_hash": "s"}
        assert stranger.ask("POST", f"{API}/run/predict", body)[0] == 422
    for session in ("../x", "", "s" * 65, "a b", 7, ["s"]):
        body = {"data": stranger.data(forecast), "fn_index": forecast["id"], "session_hash": session}
        assert stranger.ask("POST", f"{API}/run/predict", body)[0] == 422
