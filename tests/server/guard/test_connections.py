"""Connections that ask for nothing, more of them than there is room for."""

from __future__ import annotations

import contextlib
import http.client
import json
import resource
import signal
import socket
import time
from pathlib import Path

import pytest
import uvicorn
from app_process import App, listens
from conftest import eventually
from gradio.http_server import Server
from served import LIMITS, free_port
from starlette.responses import PlainTextResponse
from strangers import API, Stranger, form, jpeg

from nst.errors import InputError
from nst.guard import connections
from nst.guard.clients import Caller
from nst.guard.connections import Connection
from nst.page.server import served as page_served

# Before the app asks for more it may open so many files, as on a host that allows no more.
FILES = 400


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """An app that comes up in a rush of connections already."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    folder = tmp_path_factory.mktemp("app")
    app = App(folder)
    resource.prlimit(app.process.pid, resource.RLIMIT_NOFILE, (FILES, FILES))
    rush = [socket.socket() for _ in range(500)]
    try:
        eventually(lambda: listens(app.port))
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


def test_many_that_say_nothing_leave_room_for_whoever_asks(app):
    before = len(app.log.read_bytes())
    with silent(app, 300), silent(app, 300, b"GET / HTTP/1.1\r\nHost: x\r\n"):
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


def test_files_do_not_pile_up(app):
    served(app)
    assert len(list(Path(f"/proc/{app.process.pid}/fd").iterdir())) < 120


HELLO = b"GET / HTTP/1.1\r\nHost: x\r\n"


async def answers(scope, receive, send) -> None:
    """Take what is sent, as long as it takes, and answer; there is more at /large than a socket holds."""
    while (await receive()).get("more_body"):
        pass
    await PlainTextResponse(b"x" * (2**24 if scope["path"] == "/large" else 9))(scope, receive, send)


@pytest.fixture
def at():
    """Where such an app is served by uvicorn, as Gradio has it."""
    connections.bound()
    eventually(lambda: not Connection._all)  # of another server in this process
    config = uvicorn.Config(answers, host="127.0.0.1", port=free_port(), log_level="warning", lifespan="off")
    server = Server(config)
    server.run_in_thread()
    yield "127.0.0.1", config.port
    server.close()


@pytest.mark.parametrize("said", [b"", b"GET / HT", HELLO + b"\r\n", 2 * (HELLO + b"\r\n")])
def test_who_stays_silent_is_closed(at, monkeypatch, said):
    monkeypatch.setattr(connections, "HEAD", 0.5)
    with socket.create_connection(at, timeout=60) as one:
        one.sendall(said)
        assert everything(one).count(b"200 OK") == said.count(b"HTTP/1.1")


def everything(one: socket.socket) -> bytes:
    came = b""
    with contextlib.suppress(ConnectionResetError):
        while more := one.recv(4096):
            came += more
    return came


def test_one_address_of_the_internet_has_so_many(at, monkeypatch):
    monkeypatch.setattr(connections, "caller_of", lambda *_: Caller("8.8.8.8/32", False))
    monkeypatch.setattr(connections, "EACH", 5)
    with contextlib.ExitStack() as held:
        for _ in range(5):
            held.enter_context(socket.create_connection(at, timeout=20))
        assert everything(held.enter_context(socket.create_connection(at, timeout=20))) == b""
    eventually(lambda: not Connection._of and not Connection._all)  # all have given their place back


@pytest.mark.parametrize("end", [b"", b"Connection: close\r\n"])
def test_an_answer_that_nobody_takes_ends(at, monkeypatch, end):
    monkeypatch.setattr(connections, "UNREAD", 0.5)
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.connect(at)
        one.sendall(HELLO.replace(b"/ ", b"/large ") + end + b"\r\n")
        eventually(lambda: any(each._unread for each in Connection._all))
        eventually(lambda: not Connection._all)  # though nobody has hung up


def test_who_has_most_makes_room_when_nobody_is_silent(at, monkeypatch):
    networks = iter(["1.1.1.1/32"] * 3 + ["2.2.2.2/32", "3.3.3.3/32"])
    monkeypatch.setattr(Connection, "most", 4)
    monkeypatch.setattr(connections, "caller_of", lambda *_: Caller(next(networks), False))
    with contextlib.ExitStack() as held:
        made = []
        for number in range(1, 6):
            made.append(held.enter_context(socket.create_connection(at, timeout=10)))
            made[-1].sendall(HELLO.replace(b"GET", b"POST") + b"Content-Length: 1000\r\n\r\nx")
            wanted = min(number, 4)
            eventually(lambda wanted=wanted: sum(one._deadline is None for one in Connection._all) >= wanted)
        eventually(lambda: Connection._of["3.3.3.3/32"])
        eventually(lambda: Connection._of["1.1.1.1/32"] == 2)
        assert everything(made[2]) == b""  # the newest of those who have most


def test_a_connection_can_be_used_again(at):
    connection = http.client.HTTPConnection(*at, timeout=30)
    for _ in range(3):
        connection.request("GET", "/")
        assert connection.getresponse().read()
    connection.close()


def test_a_port_that_is_taken_is_a_sentence(at):
    taken = {"server_name": at[0], "server_port": at[1]}
    with pytest.raises(InputError, match="choose a free port with --port"), page_served(LIMITS, **taken):
        pass
