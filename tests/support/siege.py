"""Attackers at the page, on this machine only, and somebody who paints meanwhile.

    python tests/support/siege.py --attackers 10 --seconds 60

Two attackers share an address, and each does one thing after the other, as fast as he is answered: files and
drawings that take minutes to read, bombs, JSON that is dear, names of this host's files, uploads that break
off or come by the byte, films and crops by the hundred, assistants' calls, and connections that say nothing
or read nothing. What they may do as everybody may, to paint three long pictures at a time, they do not:
whoever comes then waits in the line, as the page says.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import itertools
import json
import random
import re
import secrets
import socket
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from app_process import App, running
from pictures import jpeg
from strangers import API, FILE, Stranger, bomb, files_below, form, gif_of_comments, memory, slow_jpeg
from waiting import eventually

SLOW, COMMENTS, BOMB, LARGE = slow_jpeg(), gif_of_comments(), bomb(), jpeg(4096, 4000)
BRUSH, LISTS = slow_jpeg(1500, 700), b'{"data": [' + b"[]," * 5_000_000 + b"[]]}"


class Attacker(threading.Thread):
    """Somebody who wants the page to be of use to nobody."""

    def __init__(self, url: str, number: int, over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.me, self.over, self.number = Stranger(url, f"23.1.{number // 2}.1"), over, number
        self.answers: Counter[str] = Counter()

    def run(self) -> None:
        """Do one thing after the other until it is over."""
        attacks = [
            (self.slow_look, 1),
            (self.slow_painting, 2),
            (self.bombs, 2),
            (self.lists, 4),
            (self.names, 48),
            (self.cut_uploads, 10),
            (self.uploads, 4),
            (self.films, 100),
            (self.tools, 2),
            (self.silence, 1),
            (self.unread, 1),
            (self.crops, 1),
            (self.drawings, 1),
            (self.drops, 1),
        ]
        begin = self.number % len(attacks)
        for attack, times in itertools.cycle(attacks[begin:] + attacks[:begin]):
            for _ in range(times):
                if self.over.is_set():
                    return
                status = 0
                with contextlib.suppress(OSError, ValueError, AssertionError, KeyError):
                    status = attack()
                self.answers[f"{attack.__name__} {status}"] += 1

    def slow_look(self) -> int:
        """A file that takes minutes to read, to be shown."""
        return self.me.forecast(self.me.sent(COMMENTS))[0]

    def slow_painting(self) -> int:
        """The same to be painted."""
        return self._painted(self.me.sent(SLOW))

    def bombs(self) -> int:
        """A small file of many pixels."""
        file = self.me.sent(BOMB)
        return max(self._painted(file), self.me.forecast(file)[0])

    def _painted(self, file: dict[str, Any]) -> int:
        self.me.painted(photo=file, style=file, size=64, iterations=10)
        return 200

    def lists(self) -> int:
        """Bodies that are dear to read."""
        way = random.choice(["run/predict", "queue/join", "call/v2/stylize", "mcp/"])
        return self.me.ask("POST", f"{API}/{way}", LISTS)[0]

    def names(self) -> int:
        """Files that are not his."""
        path = random.choice(["/dev/ptmx", "/etc/passwd", "/proc/self/fd/5", "/dev/zero"])
        return self.me.forecast({"path": path})[0]

    def cut_uploads(self) -> int:
        """Uploads that break off."""
        whole = self._upload(2_000_000)
        with self.me.connect(whole[: len(whole) // 2]):
            return 1

    def uploads(self) -> int:
        """Some that do not."""
        return self.me.upload(b"x" * 10_000_000)[0]

    def films(self) -> int:
        """Films by the hundred."""
        return self.me.fire(self.me.making("film"), secrets.token_hex(8))[0]

    def tools(self) -> int:
        """An assistant's calls, with a file that takes minutes, and one that is not his."""
        data = "data:image/jpeg;base64," + base64.b64encode(SLOW).decode()
        for picture in (data, {"path": "/etc/passwd", "meta": FILE}):
            self.me.tool(photo=picture, style=picture, size=64, iterations=10)
        return 200

    def silence(self) -> int:
        """Connections that say nothing."""
        return self._hold([b""] * 100, 2)

    def unread(self) -> int:
        """Answers that nobody takes, and runs that nobody has begun."""
        script = re.search(rb"/assets/[\w.-]+\.js", self.me.ask("GET", "/")[2]).group().decode()
        line = f"Host: x\r\nX-Forwarded-For: {self.me.address}\r\n\r\n"
        paths = (script, f"{API}/call/v2/stylize/none") * 200
        return self._hold([f"GET {path} HTTP/1.1\r\n{line}".encode() for path in paths], 2)

    def crops(self) -> int:
        """Parts of a large picture, many at once."""
        crop = self.me.event("crop", "submit")
        values = self.me.data(crop, photo=self.me.sent(LARGE))
        asked = {"asked": "x", "box": [0, 0, 1, 1], "turns": 1}
        body = {"data": values, "fn_index": crop["id"], "event_data": asked}
        way = "queue/join" if crop["queue"] else "run/predict"
        sessions = [secrets.token_hex(8) for _ in range(20)]
        return max(
            self.me.ask("POST", f"{API}/{way}", {**body, "session_hash": session})[0] for session in sessions
        )

    def drawings(self) -> int:
        """Drawings that take minutes to read."""
        brush = "data:image/jpeg;base64," + base64.b64encode(BRUSH).decode()
        event, photo = self.me.event("go", "submit"), self.me.sent(jpeg())
        sessions = [secrets.token_hex(8) for _ in range(20)]
        return max(
            self.me.fire(event, session, photo=photo, style=photo, brush=brush)[0] for session in sessions
        )

    def drops(self) -> int:
        """Uploads that come by the byte, once most of them is there."""
        return self._hold([self._upload(30_000_000)[:-1000]] * 5, 10, b"x")

    def _upload(self, size: int) -> bytes:
        """Return a request that uploads so much."""
        body, head = form(b"x" * size)
        lines = f"POST {API}/upload HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {self.me.address}\r\n"
        lines += f"Content-Type: {head['Content-Type']}\r\nContent-Length: {len(body)}\r\n\r\n"
        return lines.encode() + body

    def _hold(self, requests: list[bytes], seconds: int, drop: bytes = b"") -> int:
        """Send requests, each by a connection of its own that is held; send a little more each second."""
        with contextlib.ExitStack() as stack:
            held: list[socket.socket] = []
            with contextlib.suppress(OSError):
                held.extend(stack.enter_context(self.me.connect(request)) for request in requests)
            for _ in range(seconds):
                self.over.wait(1)
                for one in held:
                    with contextlib.suppress(OSError):
                        one.sendall(drop)
        return 1


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
