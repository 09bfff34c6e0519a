"""Attackers at the page, on this machine only, and somebody who paints meanwhile.

    python tests/support/siege.py --attackers 10 --seconds 60

Two attackers share an address, and each does one thing after the other, as fast as he is answered: files and
drawings that take minutes to read, bombs, JSON that is dear, names of this host's files, uploads that break
off or come by the byte, films and crops by the hundred, assistants' calls, and connections that say nothing
or read nothing. What they may do as everybody may, to
paint three long pictures at a time, they do not: whoever comes then waits in the line, as the page says.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import itertools
import json
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from app_process import App, running
from pictures import jpeg
from strangers import API, FILE, Stranger, bomb, files_below, form, gif_of_comments, memory, slow_jpeg
from waiting import eventually


class Attacker(threading.Thread):
    """Somebody who wants the page to be of use to nobody."""

    def __init__(self, url: str, number: int, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.me, self.over, self.begin = Stranger(url, f"23.1.{number // 2}.1"), over, number
        self.answers: Counter[str] = Counter()

    def run(self) -> None:
        """Do one thing after the other until it is over."""
        attacks = [
            self.slow,
            self.bombs,
            self.json,
            self.names,
            self.uploads,
            self.films,
            self.tools,
            self.silence,
            self.unread,
            self.crops,
            self.drawings,
            self.drops,
        ]
        for attack in itertools.islice(itertools.cycle(attacks), self.begin, None):
            if self.over.is_set():
                return
            for status in attack():
                self.answers[f"{attack.__name__} {status}"] += 1
                if self.over.is_set():
                    return

    @contextlib.contextmanager
    def _whatever(self) -> Iterator[None]:
        with contextlib.suppress(OSError, ValueError, AssertionError, KeyError):
            yield

    def _tries(self, *requests: Callable[[], int]) -> Iterator[int]:
        for request in requests:
            status = 0
            with self._whatever():
                status = request()
            yield status

    def slow(self) -> Iterator[int]:
        """Files that take minutes to read."""

        def look(data: bytes) -> int:
            return self.me.forecast(self.me.sent(data))[0]

        def paint() -> int:
            file = self.me.sent(SLOW)
            self.me.painted(photo=file, style=file, size=64, iterations=10)
            return 200

        return self._tries(lambda: look(COMMENTS), paint, paint)

    def bombs(self) -> Iterator[int]:
        """Small files of many pixels."""

        def paint() -> int:
            file = self.me.sent(BOMB)
            self.me.painted(photo=file, style=file, size=64, iterations=10)
            return 200

        return self._tries(paint, lambda: self.me.forecast(self.me.sent(BOMB))[0])

    def json(self) -> Iterator[int]:
        """Bodies that are dear to read."""
        lists = b'{"data": [' + b"[]," * 5_000_000 + b"[]]}"
        return self._tries(
            *(
                lambda way=way: self.me.ask("POST", f"{API}/{way}", lists)[0]
                for way in ("run/predict", "queue/join", "call/v2/stylize", "mcp/")
            )
        )

    def names(self) -> Iterator[int]:
        """Files that are not his."""
        return self._tries(
            *(
                lambda path=path: self.me.forecast({"path": path})[0]
                for path in ("/dev/ptmx", "/etc/passwd", "/proc/self/fd/5", "/dev/zero") * 12
            )
        )

    def _upload(self, size: int) -> bytes:
        """Return a request that uploads so much."""
        body, head = form(b"x" * size)
        lines = f"POST {API}/upload HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {self.me.address}\r\n"
        lines += f"Content-Type: {head['Content-Type']}\r\nContent-Length: {len(body)}\r\n\r\n"
        return lines.encode() + body

    def uploads(self) -> Iterator[int]:
        """Uploads that break off, and some that do not."""
        whole = self._upload(2_000_000)

        def cut() -> int:
            with self.me.connect(whole[: len(whole) // 2]):
                return 1

        return self._tries(*[cut] * 10, *[lambda: self.me.upload(b"x" * 10_000_000)[0]] * 4)

    def films(self) -> Iterator[int]:
        """Films by the hundred."""
        film = self.me.making("film")
        return self._tries(
            *(lambda number=number: self.me.fire(film, f"f{self.begin}x{number}")[0] for number in range(100))
        )

    def tools(self) -> Iterator[int]:
        """An assistant's calls, with a file that takes minutes."""
        data = "data:image/jpeg;base64," + base64.b64encode(SLOW).decode()

        def call() -> int:
            self.me.tool(photo=data, style=data, size=64, iterations=10)
            return 200

        return self._tries(call, lambda: len(self.me.tool(photo={"path": "/etc/passwd", "meta": FILE})))

    def _hold(self, requests: list[bytes], seconds: float, drop: bytes = b"") -> int:
        """Send requests, each by a connection of its own that is held; send a little more each second."""
        with contextlib.ExitStack() as stack:
            held: list[socket.socket] = []
            with self._whatever():
                held.extend(stack.enter_context(self.me.connect(request)) for request in requests)
            for _ in range(int(seconds)):
                self.over.wait(1)
                for one in held if drop else []:
                    with self._whatever():
                        one.sendall(drop)
        return 1

    def silence(self) -> Iterator[int]:
        """Connections that say nothing."""
        yield self._hold([b""] * 100, 2)

    def unread(self) -> Iterator[int]:
        """Answers that nobody takes, and runs that nobody has begun."""
        script = re.search(rb"/assets/[\w.-]+\.js", self.me.ask("GET", "/")[2]).group().decode()
        line = f"Host: x\r\nX-Forwarded-For: {self.me.address}\r\n\r\n"
        paths = (script, f"{API}/call/v2/stylize/none") * 200
        yield self._hold([f"GET {path} HTTP/1.1\r\n{line}".encode() for path in paths], 2)

    def crops(self) -> Iterator[int]:
        """Parts of a large picture, many at once."""
        with self._whatever():
            crop = self.me.event("crop", "submit")
            photo, data = self.me.sent(LARGE), {"asked": "x", "box": [0, 0, 1, 1], "turns": 1}
            values = self.me.data(crop, photo=photo)
            body = {"data": values, "fn_index": crop["id"], "event_data": data}
            for number in range(20):
                asked = {**body, "session_hash": f"c{self.begin}x{number}"}
                way = "queue/join" if crop["queue"] else "run/predict"
                yield self.me.ask("POST", f"{API}/{way}", asked)[0]

    def drawings(self) -> Iterator[int]:
        """Drawings that take minutes to read."""
        brush = "data:image/jpeg;base64," + base64.b64encode(slow_jpeg(1500, 700)).decode()
        with self._whatever():
            paint = self.me.event("go", "submit")
            photo = self.me.sent(jpeg())
            for number in range(20):
                session = f"d{self.begin}x{number}"
                yield self.me.fire(paint, session, photo=photo, style=photo, brush=brush)[0]

    def drops(self) -> Iterator[int]:
        """Uploads that come by the byte, once most of them is there."""
        yield self._hold([self._upload(30_000_000)[:-1000]] * 5, 10, b"x")


SLOW, COMMENTS, BOMB, LARGE = slow_jpeg(), gif_of_comments(), bomb(), jpeg(4096, 4000)


def painting(url: str, number: int) -> tuple[float, float, float]:
    """Paint as a visitor does; return the seconds until the page, the first and the last frame are there."""
    me = Stranger(url, f"24.1.{number}.1")
    began = time.monotonic()
    assert me.ask("GET", "/")[0] == 200
    page = time.monotonic() - began
    photo, style = me.sent(jpeg(800, 600, seed=1)), me.sent(jpeg(600, 800, seed=2))
    status, told = me.call(photo=photo, style=style, size=128, iterations=20)
    assert status == 200, told
    first, said = None, []
    for line in me.lines(f"{API}/call/v2/stylize/{told['event_id']}"):
        said.append(line)
        if first is None and line.startswith(b"event: generating"):
            first = time.monotonic() - began
        if line.startswith((b"event: complete", b"event: error")):
            break
    assert first is not None, said
    assert said[-1].startswith(b"event: complete"), said
    return page, first, time.monotonic() - began


def weight(app: App) -> float:
    """Return the megabytes of the app and the processes that it has started."""
    total = 0.0
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError, StopIteration, ValueError):
            fields = (status.parent / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == app.process.pid:  # its process group
                total += memory(status.parent.name)
    return total


def siege(app: App, attackers: int, seconds: float) -> dict[str, Any]:
    """Let attackers do what they can for a while, and somebody paint meanwhile; return what came of it."""
    alone = painting(app.url, 0)
    before = {"MB": weight(app), "files": len(files_below(app.folder))}
    over = threading.Event()
    crowd = [Attacker(app.url, number, over) for number in range(attackers)]
    for attacker in crowd:
        attacker.start()
    began, most = time.monotonic(), 0.0
    waits: list[tuple[float, float, float]] = []
    health = Counter()
    while time.monotonic() - began < seconds:
        waits.append(painting(app.url, len(waits) + 1))
        health[json.loads(app.ask("/health")[2])["status"]] += 1
        most = max(most, weight(app))
    over.set()
    for attacker in crowd:
        attacker.join(120)
    answers = sum((attacker.answers for attacker in crowd), Counter())
    # Until what was under way has come to its end: runs, and files whose time is not over yet.
    with contextlib.suppress(AssertionError):
        eventually(lambda: app.counts() == (0, 0) and weight(app) < before["MB"] + 250, seconds=90)
    return {
        "pictures painted meanwhile": len(waits),
        "alone, until the page, the first frame and the last": alone,
        "longest to the page": max(page for page, _, _ in waits),
        "longest to the first frame": max(first for _, first, _ in waits),
        "longest to the last": max(last for _, _, last in waits),
        "requests of attackers": answers.total(),
        "answers": dict(sorted(answers.items())),
        "before": before,
        "MB at most": most,
        "after": {"MB": weight(app), "files": len(files_below(app.folder))},
        "health": dict(health),
    }


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--attackers", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=60)
    chosen = parser.parse_args()
    with running() as app:
        print(json.dumps(siege(app, chosen.attackers, chosen.seconds), indent=1))


if __name__ == "__main__":
    main()
