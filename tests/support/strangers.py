"""What somebody sends who does not use the page: requests by hand, from any address of the internet."""

from __future__ import annotations

import http.client
import json
import socket
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from corpus import chunk
from pictures import encoded, jpeg
from PIL import Image

API = "/gradio_api"
FILE = {"_type": "gradio.FileData"}


class Stranger:
    """Somebody at an address of the internet, as a proxy on this machine would tell it; "" for no proxy."""

    def __init__(self, url: str, address: str = "8.8.8.8") -> None:
        self.host, self.address = urlsplit(url).netloc, address
        self.signature = {"X-Forwarded-For": address} if address else {}
        self._config: dict | None = None

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        timeout: float = 60,
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of an answer; a body that is no bytes is sent as JSON."""
        head = {**self.signature, **(headers or {})}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            head.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection(self.host, timeout=timeout)
        try:
            connection.request(method, path, body, head)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def lines(self, path: str, timeout: float = 600) -> Iterator[bytes]:
        """Yield the lines of an answer as they come; who stops listening has hung up."""
        connection = http.client.HTTPConnection(self.host, timeout=timeout)
        try:
            connection.request("GET", path, headers=self.signature)
            with connection.getresponse() as answer:
                yield from answer
        finally:
            connection.close()

    def messages(self, session: str) -> Iterator[dict[str, Any]]:
        """Yield what the page is told of the events that a session has in the queue."""
        for line in self.lines(f"{API}/queue/data?session_hash={session}"):
            if line.startswith(b"data: "):
                yield json.loads(line[6:])

    def connect(self, sent: bytes = b"") -> socket.socket:
        """Return a connection by which this was sent."""
        host, port = self.host.split(":")
        connection = socket.create_connection((host, int(port)), timeout=20)
        connection.sendall(sent)
        return connection

    @property
    def config(self) -> dict:
        """What Gradio tells everybody of the page."""
        if self._config is None:
            self._config = json.loads(self.ask("GET", "/config")[2])
        return self._config

    def event(self, name: str, kind: str = "click") -> dict:
        """Return the event of an element of the page."""
        ids = {one["props"].get("elem_id"): one["id"] for one in self.config["components"]}
        return next(
            one
            for one in self.config["dependencies"]
            if [ids[name], kind] in one["targets"] and one["backend_fn"]
        )

    def making(self, name: str) -> dict:
        """Return an event that makes what an element shows, whatever it follows."""
        ids = {one["props"].get("elem_id"): one["id"] for one in self.config["components"]}
        return next(
            one
            for one in self.config["dependencies"]
            if ids[name] in one["outputs"] and one["backend_fn"] and one["queue"]
        )

    def data(self, event: dict, **values: Any) -> list[Any]:
        """Return what the page would send with an event, with other values for some elements."""
        shown = {one["id"]: one["props"] for one in self.config["components"]}
        found = []
        for number in event["inputs"]:
            props = shown[number]
            found.append(values.get(props.get("elem_id"), props.get("value")))
        return found

    def fire(
        self, event: dict, session: str = "stranger", data: list[Any] | None = None, **values: Any
    ) -> tuple[int, dict[str, str], bytes]:
        """Send an event of the page, the way that the page sends it."""
        way = "queue/join" if event["queue"] else "run/predict"
        body = {
            "data": self.data(event, **values) if data is None else data,
            "fn_index": event["id"],
            "session_hash": session,
        }
        return self.ask("POST", f"{API}/{way}", body)

    def forecast(self, photo: Any) -> tuple[int, str]:
        """Return status and text of the page's forecast for a photo."""
        status, _, body = self.fire(self.event("photo", "change"), photo=photo)
        return status, body.decode(errors="replace")

    def upload(self, data: bytes, name: str = "photo.jpg", field: str = "files") -> tuple[int, Any]:
        """Upload a file; return status and what was said."""
        status, _, body = self.ask("POST", f"{API}/upload", *form(data, name, field))
        return status, json.loads(body)

    def sent(self, data: bytes, name: str = "photo.jpg") -> dict[str, Any]:
        """Upload a file; return what names it in a request."""
        status, told = self.upload(data, name)
        assert status == 200, told
        return {"path": told[0], "meta": FILE}

    def call(self, **given: Any) -> tuple[int, dict]:
        """Call /stylize as a program does; return status and what was said."""
        status, _, body = self.ask("POST", f"{API}/call/v2/stylize", given)
        return status, json.loads(body)

    def result(self, number: str, timeout: float = 60) -> str:
        """Return the event stream of a call, whole."""
        return self.ask("GET", f"{API}/call/v2/stylize/{number}", timeout=timeout)[2].decode()

    def painted(self, timeout: float = 60, **given: Any) -> str:
        """Call /stylize and return the event stream."""
        status, told = self.call(**given)
        assert status == 200, told
        return self.result(told["event_id"], timeout)

    def tool(self, headers: dict[str, str] | None = None, timeout: float = 60, **arguments: Any) -> str:
        """Call the MCP tool; return what it says."""
        body = {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": "stylize", "arguments": arguments},
        }
        accept = {"Accept": "application/json, text/event-stream", **(headers or {})}
        return self.ask("POST", f"{API}/mcp/", body, accept, timeout)[2].decode()


def form(data: bytes, name: str = "photo.jpg", field: str = "files") -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a form with one file."""
    head = f'Content-Disposition: form-data; name="{field}"; filename="{name}"'
    body = f"--x\r\n{head}\r\nContent-Type: image/jpeg\r\n\r\n".encode() + data + b"\r\n--x--\r\n"
    return body, {"Content-Type": "multipart/form-data; boundary=x"}


def slow_jpeg(scans: int = 4000, side: int = 3000) -> bytes:
    """Return a progressive JPEG whose last scan is there very often: each time all of it is gone through."""
    data = encoded(Image.new("L", (side, side), 128), "JPEG", progressive=True, quality=50)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * scans + b"\xff\xd9"


def gif_of_comments(size: int = 10_000_000) -> bytes:
    """Return a GIF that is nothing but comments of one byte."""
    head = b"GIF89a" + struct.pack("<HHBBB", 64, 64, 0, 0, 0)
    return head + b"\x21\xfe\x01x\x00" * (size // 5) + b";"


def bomb(side: int = 7900) -> bytes:
    """Return a PNG of a few kilobytes and 62 million pixels."""
    rows = zlib.compress(bytes((side + 1) * side), 9)
    size = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", size) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def memory(pid: int | str = "self") -> float:
    """Return the megabytes that a process holds."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def files_below(folder: Path) -> list[Path]:
    """Return the files of a folder and its folders, without the mark that it is in use."""
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "lock"]


@pytest.fixture
def stranger(url, request):
    """Somebody from an address of his own for each test."""
    number = zlib.crc32(request.node.name.encode())
    return Stranger(url, f"9.{number >> 8 & 127}.{number >> 16 & 255}.{number & 255}")


@pytest.fixture
def crowd(url):
    """Those who cannot be told from one another, who may ask for more than one of them."""
    return Stranger(url, "")


@pytest.fixture
def secret(tmp_path):
    """A picture of this machine that nobody has sent."""
    path = tmp_path / "secret.png"
    path.write_bytes(jpeg(seed=99))
    return path
