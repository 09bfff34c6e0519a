"""Connections that ask for nothing, more of them than there is room for."""

from __future__ import annotations

import contextlib
import http.client
import json
import resource
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import gradio
import pytest
from load import App
from served import serve
from strangers import API, Stranger, form, jpeg

from nst.guard import connections
from nst.guard.clients import Caller

# Before the app asks for more it may open so many files, as on a host that allows no more.
FILES = 400


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """An app that comes up in a rush of connections already."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    folder = tmp_path_factory.mktemp("app")
    app = App(folder, before=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES)))
    rush = [socket.socket() for _ in range(500)]
    try:
        app.wait(listens_only=True)
        app.process.send_signal(signal.SIGSTOP)
        for one in rush:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", app.port))
        app.process.send_signal(signal.SIGCONT)
        app.wait()
        for one in rush:
            one.close()
        yield app
    finally:
        app.kill()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == limits


@contextlib.contextmanager
def silent(app: App, count: int, said: bytes = b""):
    """Hold so many connections that say no more than this."""
    held = []
    try:
        for _ in range(count):
            one = socket.create_connection(("127.0.0.1", app.port), timeout=10)
            one.sendall(said)
            held.append(one)
        yield held
    finally:
        for one in held:
            one.close()


def served(app: App) -> float:
    """Return how long it takes to be served a page, a file and a picture."""
    began = time.monotonic()
    stranger = Stranger(app.url, "")
    assert stranger.ask("GET", "/", timeout=20)[0] == 200
    photo = stranger.sent(jpeg())
    assert stranger.forecast(photo)[0] == 200
    return time.monotonic() - began


def test_a_rush_does_not_end_the_start(app):
    assert app.process.poll() is None
    assert "Too many open files" not in app.log.read_text()
    assert served(app) < 20


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_many_that_say_nothing_leave_room_for_whoever_asks(app, said):
    before = len(app.log.read_bytes())
    with silent(app, 500, said):
        assert served(app) < 20
        status, _, told = Stranger(app.url, "").ask("GET", "/health")
        assert (status, json.loads(told)["status"]) == (200, "ok")
    assert len(app.log.read_bytes()) - before < 20_000


def test_many_slow_uploads_leave_room_too(app):
    body, head = form(b"x" * 100_000)
    lines = f"POST {API}/upload HTTP/1.1\r\nHost: x\r\nContent-Type: {head['Content-Type']}\r\n"
    lines += f"X-Forwarded-For: 3.3.3.3\r\nContent-Length: {len(body)}\r\n\r\n"
    with silent(app, 100, lines.encode() + body[:200]) as held:
        assert served(app) < 20
        # Of one visitor a few are taken at a time, the others are told so at once.
        told = [first_word(one) for one in held[20:]]
        assert told.count(b"HTTP/1.1 429") > 50


def first_word(one: socket.socket) -> bytes:
    one.settimeout(2)
    with contextlib.suppress(TimeoutError, ConnectionResetError):  # what was not read of it may reset it
        return one.recv(12)
    return b""


@pytest.mark.parametrize("said", [b"", b"GET / HT", b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_who_stays_silent_is_closed(monkeypatch, said):
    monkeypatch.setattr(connections, "HEAD", 0.5)
    with serve() as url, socket.create_connection(("127.0.0.1", urlsplit(url).port), timeout=60) as one:
        one.sendall(said)
        with contextlib.suppress(ConnectionResetError):
            while one.recv(4096):
                pass


def test_one_address_of_the_internet_has_so_many(monkeypatch):
    monkeypatch.setattr(connections, "caller_of", lambda *_: Caller("8.8.8.8/32", False))
    monkeypatch.setattr(connections, "EACH", 5)
    with serve() as url:
        at = ("127.0.0.1", urlsplit(url).port)
        with contextlib.ExitStack() as held:
            for _ in range(5):
                held.enter_context(socket.create_connection(at, timeout=20))
            sixth = held.enter_context(socket.create_connection(at, timeout=20))
            with contextlib.suppress(ConnectionResetError):
                assert sixth.recv(10) == b""
        began = time.monotonic()
        while connections.Connection._of:  # all have given their place back
            assert time.monotonic() - began < 20
            time.sleep(0.02)
        assert not connections.Connection._all


def until(said: Callable[[], object]) -> None:
    began = time.monotonic()
    while not said():
        assert time.monotonic() - began < 20
        time.sleep(0.02)


@pytest.mark.parametrize("closing", [False, True])
def test_an_answer_that_nobody_takes_ends(monkeypatch, closing):
    kind = connections.Connection
    monkeypatch.setattr(connections, "UNREAD", 1.0)
    assets = (Path(gradio.__file__).parent / "templates/frontend/assets").glob("*.js")
    largest = max(assets, key=lambda path: path.stat().st_size)
    with serve() as url, socket.socket() as one:
        until(lambda: not kind._all)  # Gradio asks itself for something at its start
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(("127.0.0.1", urlsplit(url).port))
        end = "Connection: close\r\n" if closing else ""
        one.sendall(f"GET /assets/{largest.name} HTTP/1.1\r\nHost: x\r\n{end}\r\n".encode())
        until(lambda: any(each._unread for each in kind._all))
        until(lambda: not kind._all)  # though nobody has hung up


def test_who_has_most_makes_room_when_nobody_is_silent(monkeypatch):
    kind = connections.Connection
    body, head = form(b"x" * 100_000)
    lines = f"POST {API}/upload HTTP/1.1\r\nHost: x\r\nContent-Type: {head['Content-Type']}\r\n"
    lines += f"Content-Length: {len(body)}\r\n\r\n"
    networks = iter(["1.1.1.1/32"] * 3 + ["2.2.2.2/32", "3.3.3.3/32"])
    with serve() as url, contextlib.ExitStack() as held:
        until(lambda: not kind._all)
        monkeypatch.setattr(kind, "most", 4)
        monkeypatch.setattr(connections, "caller_of", lambda *_: Caller(next(networks), False))
        made = []
        for number in range(1, 6):
            one = socket.create_connection(("127.0.0.1", urlsplit(url).port), timeout=10)
            made.append(held.enter_context(one))
            one.sendall(lines.encode() + body[:200])
            until(
                lambda number=number: (
                    sum(kind._of.values()) >= min(number, 4)
                    and sum(each._deadline is None for each in kind._all) >= min(number, 4)
                )
            )
        until(lambda: kind._of["3.3.3.3/32"])
        until(lambda: kind._of["1.1.1.1/32"] == 2)
        with contextlib.suppress(ConnectionResetError):
            assert made[2].recv(10) == b""  # the newest of those who have most


def test_files_do_not_pile_up(app):
    served(app)
    assert len(list(Path(f"/proc/{app.process.pid}/fd").iterdir())) < 120


def test_a_connection_can_be_used_again(app):
    connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=30)
    for _ in range(3):
        connection.request("GET", "/health")
        assert connection.getresponse().read()
    connection.close()
