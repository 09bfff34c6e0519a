"""A line between a browser and the host that can be cut, as a proxy's that goes down for some seconds."""

from __future__ import annotations

import contextlib
import socket
import threading
from urllib.parse import urlsplit


class Relay:
    """Hands on what comes to a port of its own, for as long as the context lasts.

    Args:
        url: of the host.
    """

    def __init__(self, url: str) -> None:
        self.lead_to(url)
        self.port = 0  # any that is free
        self._sockets: list[socket.socket] = []
        self.mend()
        self.url = f"http://127.0.0.1:{self.port}/"

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def lead_to(self, url: str) -> None:
        """Lead to another host from now on, as after a restart."""
        self.host = (urlsplit(url).hostname, urlsplit(url).port)

    def mend(self) -> None:
        """Listen."""
        self._listening = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def cut(self) -> None:
        """Break all connections, and take no new ones."""
        for one in [self._listening, *self._sockets]:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._sockets.clear()

    def _accept(self, listening: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                here, _ = listening.accept()
                there = socket.create_connection(self.host)
                self._sockets += [here, there]
                for one, other in ((here, there), (there, here)):
                    threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
