"""Connections that ask for nothing, take nothing, or are more than there is room for."""

import contextlib
import multiprocessing
import os
import resource
import signal
import socket

import psutil
import pytest
import uvicorn
from conftest import eventually
from gradio.http_server import Server
from served import LIMITS, free_port
from starlette.responses import PlainTextResponse
from strangers import Stranger

from nst.errors import InputError
from nst.guard import connections
from nst.guard.connections import Connection
from nst.page.server import served

HELLO = b"GET / HTTP/1.1\r\nHost: x\r\n"


async def app(scope, receive, send) -> None:
    """Answer whatever is sent; at /large with more than a socket holds."""
    while (await receive()).get("more_body"):
        pass
    await PlainTextResponse(b"x" * (2**25 if scope["path"] == "/large" else 9))(scope, receive, send)


def config(port: int) -> uvicorn.Config:
    """Have such an app served by uvicorn, as Gradio has it."""
    connections.bound()
    return uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", lifespan="off")


@pytest.fixture
def connect():
    """A function that connects to the app, served in this process, and says something."""
    settings = config(free_port())
    server = Server(settings)
    server.run_in_thread()
    with contextlib.ExitStack() as stack:

        def connect(said: bytes = b"") -> socket.socket:
            place = ("127.0.0.1", settings.port)
            one = stack.enter_context(socket.create_connection(place, timeout=60))
            one.sendall(said)
            return one

        yield connect
    server.close()
    eventually(lambda: not Connection._of and not Connection._all)  # all have given their place back


def everything(one: socket.socket) -> bytes:
    """Return all that comes until a connection is closed."""
    came = b""
    with contextlib.suppress(ConnectionResetError):
        while more := one.recv(4096):
            came += more
    return came


def test_a_rush_of_those_who_say_nothing_takes_no_file_from_whoever_asks(capfd):
    files = psutil.Process().num_fds() + 300  # as on a host that allows no more

    def serve() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        Connection._all.clear()  # those of the process that this one was made from
        uvicorn.Server(config(0)).run([listening])

    with socket.create_server(("127.0.0.1", 0)) as listening:
        place = listening.getsockname()
        somebody = Stranger(f"http://127.0.0.1:{place[1]}", "")
        process = multiprocessing.get_context("fork").Process(target=serve)
        process.start()
        try:
            assert somebody.ask("GET", "/")[0] == 200
            os.kill(process.pid, signal.SIGSTOP)
            with contextlib.ExitStack() as rush:
                for _ in range(500):
                    one = rush.enter_context(socket.socket())
                    one.setblocking(False)
                    one.connect_ex(place)
                os.kill(process.pid, signal.SIGCONT)
                for _ in range(100):
                    rush.enter_context(somebody.connect(HELLO))
                assert somebody.ask("GET", "/")[0] == 200
            eventually(lambda: psutil.Process(process.pid).num_fds() < files - 250)  # all are given back
            assert "Too many open files" not in capfd.readouterr().err
        finally:
            process.kill()
            process.join()


def test_who_stays_silent_is_closed(connect, monkeypatch):
    monkeypatch.setattr(connections, "HEAD", 0.5)
    whole = HELLO + b"\r\n"
    held = [connect(said) for said in (b"", b"GET / HT", whole, whole + whole)]
    assert [everything(one).count(b"200 OK") for one in held] == [0, 0, 1, 2]


def test_an_answer_that_nobody_takes_ends(connect, monkeypatch):
    monkeypatch.setattr(connections, "UNREAD", 0.5)
    large = HELLO.replace(b"/ ", b"/large ")
    held = [connect(large + end + b"\r\n") for end in (b"", b"Connection: close\r\n")]
    eventually(lambda: sum(one._unread is not None for one in Connection._all) == len(held))
    eventually(lambda: not Connection._all)  # though nobody has hung up


def test_one_address_has_so_many_and_whoever_has_most_makes_room_when_nobody_is_silent(connect, monkeypatch):
    networks = iter(["1.1.1.1/32"] * 4 + ["2.2.2.2/32", "3.3.3.3/32"])
    monkeypatch.setattr(connections, "caller_of", lambda *_: (next(networks), False))
    monkeypatch.setattr(connections, "EACH", 3)
    monkeypatch.setattr(Connection, "most", 4)

    def ask(under_way: int) -> socket.socket:
        one = connect(HELLO.replace(b"GET", b"POST") + b"Content-Length: 1000\r\n\r\nx")
        eventually(lambda: sum(each._deadline is None for each in Connection._all) >= under_way)
        return one

    held = [ask(1), ask(2), ask(3)]
    assert everything(connect()) == b""  # a fourth of one address
    held += [ask(4), ask(4)]
    assert everything(held[2]) == b""  # the newest of those who have most
    eventually(lambda: sorted(Connection._of.values()) == [1, 1, 2])


def test_a_port_that_is_taken_is_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = {"server_name": "127.0.0.1", "server_port": taken.getsockname()[1]}
        with pytest.raises(InputError, match="choose a free port with --port"), served(LIMITS, **place):
            pass
