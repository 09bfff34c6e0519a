"""A local HTTP server that speaks the Hub's endpoints for one file, well or badly."""

from __future__ import annotations

import hashlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Hub:
    """Serves `data` as REPO/resolve/main/FILE with ranges, through a redirect as the real Hub does.

    Args:
        data: the file.
        manner: "good", "breaks" (drops a transfer after a part, every other time), "stops" (never gets
            past a point), "slow", "garbage" (random bytes), "no ranges", "silent" (never answers),
            "lost" (404) or "broken" (500).
    """

    def __init__(self, data: bytes, manner: str = "good") -> None:
        self.data, self.manner = data, manner
        self.sent = 0  # bytes of file content sent off
        self.ranges: list[tuple[int, int]] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_HEAD(self) -> None:
                hub.answer(self, with_body=False)

            def do_GET(self) -> None:
                hub.answer(self, with_body=True)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        # Polled often, or every test would wait half a second for its end.
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def answer(self, request: BaseHTTPRequestHandler, *, with_body: bool) -> None:
        if self.manner == "silent":
            time.sleep(30)
            return
        if self.manner in ("lost", "broken"):
            request.send_response(404 if self.manner == "lost" else 500)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        etag = hashlib.sha256(self.data).hexdigest()
        if "/resolve/" in request.path:
            request.send_response(302)
            request.send_header(
                "Location", f"http://localhost:{self.server.server_port}/cdn/file?signature=x"
            )
            request.send_header("X-Linked-Etag", f'"{etag}"')
            request.send_header("X-Linked-Size", str(len(self.data)))
            request.send_header("X-Repo-Commit", "0" * 40)
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        self.send_file(request, with_body)

    def send_file(self, request: BaseHTTPRequestHandler, with_body: bool) -> None:
        asked = request.headers.get("Range")
        if asked is None or self.manner == "no ranges":
            request.send_response(200)
            request.send_header("Content-Length", str(len(self.data)))
            request.end_headers()
            if with_body:
                self.sent += len(self.data)
                request.wfile.write(self.data)
            return
        first, final = (int(n) for n in asked.removeprefix("bytes=").split("-"))
        self.ranges.append((first, final))
        body = self.data[first : final + 1]
        if self.manner == "garbage":
            body = hashlib.sha512(body).digest() * (len(body) // 64 + 1)
            body = body[: final - first + 1]
        request.send_response(206)
        request.send_header("Content-Length", str(len(body)))
        request.send_header("Content-Range", f"bytes {first}-{final}/{len(self.data)}")
        request.end_headers()
        large = len(body) > 10_000
        if large and self.manner == "stops":
            body = b""
        if large and self.manner == "breaks" and len(self.ranges) % 2:
            body = body[: len(body) // 3]
        pieces = 20 if self.manner == "slow" else 1
        step = len(body) // pieces + 1
        for at in range(0, len(body), step):
            # Counted first: who has read the last byte may ask for the count before this thread goes on.
            self.sent += len(body[at : at + step])
            request.wfile.write(body[at : at + step])
            request.wfile.flush()
            if pieces > 1:
                time.sleep(0.02)
        request.close_connection = True
