"""What somebody sends who does not use the page: requests by hand, from any address of the internet."""

import functools
import http.client
import json
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from corpus import png
from pictures import encoded, jpeg  # noqa: F401 (other tests take it from here)
from PIL import Image

API = "/gradio_api"
FILE = {"_type": "gradio.FileData"}
Heads = dict[str, str]
Answer = tuple[int, Heads, bytes]  # status, headers and body
ASSISTANT = {"Accept": "application/json, text/event-stream"}  # as every client of MCP says


class Stranger:
    """Somebody at an address of the internet, as a proxy on this machine would tell it; "" for no proxy."""

    def __init__(self, url: str, address: str = "8.8.8.8") -> None:
        self.host = urlsplit(url).netloc
        self.signature = {"X-Forwarded-For": address} if address else {}

    def ask(self, method: str, path: str, body: Any = None, headers: Heads | None = None) -> Answer:
        """Return an answer; a body that is no bytes is sent as JSON."""
        head = {"Content-Type": "application/json", **self.signature, **(headers or {})}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        with closing(http.client.HTTPConnection(self.host, timeout=60)) as connection:
            connection.request(method, path, body, head)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()

    def request(
        self, path: str, method: str = "GET", body: bytes = b"", headers: Heads | None = None
    ) -> bytes:
        """Return a request as it goes over the wire."""
        head = {"Host": self.host, "Content-Length": str(len(body)), **self.signature, **(headers or {})}
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def connect(self, sent: bytes = b"") -> socket.socket:
        """Return a connection by which this was sent."""
        connection = socket.create_connection(self.host.split(":"), timeout=20)
        connection.sendall(sent)
        return connection

    @functools.cached_property
    def config(self) -> dict:
        """What Gradio tells everybody of the page."""
        return json.loads(self.ask("GET", "/config")[2])

    def event(self, name: str, kind: str = "click") -> dict:
        """Return the event of an element of the page."""
        return self._event(name, lambda one, number: [number, kind] in one["targets"])

    def making(self, name: str) -> dict:
        """Return an event that makes what an element shows, whatever it follows."""
        return self._event(name, lambda one, number: number in one["outputs"] and one["queue"])

    def _event(self, name: str, is_it: Callable[[dict, int], bool]) -> dict:
        ids = {one["props"].get("elem_id"): one["id"] for one in self.config["components"]}
        events = self.config["dependencies"]
        return next(one for one in events if one["backend_fn"] and is_it(one, ids[name]))

    def fire(self, event: dict, session: str = "stranger", event_data: Any = None, **values: Any) -> Answer:
        """Send an event the way that the page sends it, with other values for some elements."""
        shown = {one["id"]: one["props"] for one in self.config["components"]}
        inputs = [shown[number] for number in event["inputs"]]
        data = [values.get(props.get("elem_id"), props.get("value")) for props in inputs]
        body = {"data": data, "fn_index": event["id"], "session_hash": session, "event_data": event_data}
        return self.ask("POST", f"{API}/{'queue/join' if event['queue'] else 'run/predict'}", body)

    def forecast(self, photo: Any) -> tuple[int, str]:
        """Return status and text of the page's forecast for a photo."""
        status, _, body = self.fire(self.event("photo", "change"), photo=photo)
        return status, body.decode(errors="replace")

    def upload(self, data: bytes) -> tuple[int, Any]:
        """Upload a file; return status and what was said."""
        status, _, body = self.ask("POST", f"{API}/upload", *form(data))
        return status, json.loads(body)

    def sent(self, data: bytes) -> dict[str, Any]:
        """Upload a file; return what names it in a request."""
        status, told = self.upload(data)
        assert status == 200, told
        return {"path": told[0], "meta": FILE}

    def call(self, **given: Any) -> tuple[int, dict]:
        """Call /stylize as a program does; return status and what was said."""
        status, _, body = self.ask("POST", f"{API}/call/v2/stylize", given)
        return status, json.loads(body)

    def result(self, number: str, timeout: float = 60) -> str:
        """Return the event stream of a call, whole."""
        return b"".join(self.lines(number, timeout)).decode()

    def lines(self, number: str, timeout: float = 600) -> Iterator[bytes]:
        """Yield the lines of a call's event stream as they come; who stops listening has hung up."""
        with closing(http.client.HTTPConnection(self.host, timeout=timeout)) as connection:
            connection.request("GET", f"{API}/call/v2/stylize/{number}", headers=self.signature)
            with connection.getresponse() as answer:
                yield from answer

    def painted(self, **given: Any) -> str:
        """Call /stylize and return the event stream."""
        status, told = self.call(**given)
        assert status == 200, told
        return self.result(told["event_id"])

    def tool(self, **arguments: Any) -> str:
        """Call the MCP tool; return what it says."""
        body = mcp("tools/call", name="stylize", arguments=arguments)
        return self.ask("POST", f"{API}/mcp/", body, ASSISTANT)[2].decode()


def mcp(method: str, **params: Any) -> dict[str, Any]:
    """Return a message of MCP."""
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def form(data: bytes, name: str = "photo.jpg", field: str = "files") -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a form with one file."""
    head = f'--x\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
    body = head.encode() + b"Content-Type: image/jpeg\r\n\r\n" + data + b"\r\n--x--\r\n"
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
    return png(side, side, bytes((side + 1) * side), kind=0)
