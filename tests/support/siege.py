"""Attackers at the page, on this machine only, and somebody who paints meanwhile.

    python tests/support/siege.py --attackers 10 --seconds 60

Two attackers share an address, and each does one thing after the other, as fast as he is answered. What they
may do as everybody may, to paint three long pictures at a time, they do not: whoever comes then waits in the
line, as the page says.
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
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from app_process import App, running
from load import SMALL, visit
from pictures import jpeg
from strangers import API, FILE, Stranger, bomb, form, gif_of_comments, slow_jpeg
from waiting import eventually

SLOW, COMMENTS, BOMB, LARGE = slow_jpeg(), gif_of_comments(), bomb(), jpeg(4096, 4000)
BRUSH, LISTS = slow_jpeg(1500, 700), b'{"data": [' + b"[]," * 5_000_000 + b"[]]}"
CROP = {"asked": "x", "box": [0, 0, 1, 1], "turns": 1}
OTHERS_FILES = ("/dev/ptmx", "/etc/passwd", "/proc/self/fd/5", "/dev/zero")
READS_JSON = ("run/predict", "queue/join", "call/v2/stylize", "mcp/")


def paint(me: Stranger, data: bytes) -> None:
    """Paint with a file."""
    file = me.sent(data)
    me.painted(photo=file, style=file, **SMALL)


def ask_the_tool(me: Stranger) -> None:
    """Have an assistant paint with a file that takes minutes, and with one that is not his."""
    for picture in (in_text(SLOW), {"path": "/etc/passwd", "meta": FILE}):
        me.tool(photo=picture, style=picture, **SMALL)


def take_nothing(me: Stranger) -> None:
    """Ask for a file of the page and for a run that nobody has begun; take no answer."""
    script = re.search(rb"/assets/[\w.-]+\.js", me.ask("GET", "/")[2]).group().decode()
    hold(me, [me.request(path) for path in (script, f"{API}/call/v2/stylize/none") * 200], 2)


def fire_often(me: Stranger, name: str, event_data: Any = None, **values: Any) -> int:
    """Send an event of the page from twenty sessions at once."""
    event = me.event(name, "submit")
    return max(me.fire(event, secrets.token_hex(8), event_data, **values)[0] for _ in range(20))


def draw(me: Stranger) -> int:
    """Send drawings that take minutes to read."""
    photo = me.sent(jpeg())
    return fire_often(me, "go", photo=photo, style=photo, brush=in_text(BRUSH))


def in_text(data: bytes) -> str:
    """Return a picture as an address that holds it."""
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


def uploading(me: Stranger, size: int) -> bytes:
    """Return a request that uploads so much."""
    return me.request(f"{API}/upload", "POST", *form(b"x" * size))


def hold(me: Stranger, requests: list[bytes], seconds: int, drop: bytes = b"") -> None:
    """Send requests, each by a connection of its own that is held; send a little more each second."""
    with contextlib.ExitStack() as stack:
        held: list[socket.socket] = []
        with contextlib.suppress(OSError):
            held.extend(stack.enter_context(me.connect(request)) for request in requests)
        for _ in range(seconds):
            time.sleep(1)
            for one in held:
                with contextlib.suppress(OSError):
                    one.sendall(drop)


# What is done, how often in turn, and how; a short siege gets to the first ones only.
ATTACKS = (
    ("files of the host", 48, lambda me: me.forecast({"path": random.choice(OTHERS_FILES)})[0]),
    ("JSON that is dear", 4, lambda me: me.ask("POST", f"{API}/{random.choice(READS_JSON)}", LISTS)[0]),
    ("uploads that break off", 10, lambda me: hold(me, [uploading(me, 2_000_000)[:1_000_000]], 0)),
    ("uploads", 4, lambda me: me.upload(bytes(10_000_000))[0]),
    ("drawings", 1, draw),
    ("films", 100, lambda me: me.fire(me.making("film"), secrets.token_hex(8))[0]),
    ("silence", 1, lambda me: hold(me, [b""] * 100, 2)),
    ("a file that takes minutes to read, looked at", 1, lambda me: me.forecast(me.sent(COMMENTS))[0]),
    ("one that is painted", 2, lambda me: paint(me, SLOW)),
    ("a small file of many pixels", 2, lambda me: paint(me, BOMB)),
    ("an assistant's calls", 2, ask_the_tool),
    ("answers that nobody takes", 1, take_nothing),
    ("crops of a large picture", 1, lambda me: fire_often(me, "crop", CROP, photo=me.sent(LARGE))),
    ("uploads by the byte", 1, lambda me: hold(me, [uploading(me, 30_000_000)[:-1000]] * 5, 10, b"x")),
)


def attack(url: str, number: int, over: threading.Event) -> Counter[str]:
    """Do one thing after the other until it is over; return how often each had which answer."""
    me, answers = Stranger(url, f"23.1.{number // 2}.1"), Counter[str]()
    begin = number % len(ATTACKS)
    turns = [[(name, act)] * times for name, times, act in ATTACKS[begin:] + ATTACKS[:begin]]
    for name, act in itertools.cycle(itertools.chain.from_iterable(turns)):
        if over.is_set():
            break
        status = "broken off"
        with contextlib.suppress(OSError, ValueError, AssertionError, KeyError):
            status = act(me) or "done"
        answers[f"{name}: {status}"] += 1
    return answers


def siege(app: App, attackers: int, seconds: float) -> dict[str, Any]:
    """Let attackers do what they can for a while, and somebody paint meanwhile; return what came of it."""
    alone, before = visit(app.url, "24.1.0.1", size=128, iterations=20), app.held()
    over, began, most = threading.Event(), time.monotonic(), 0.0
    visits, health = [], Counter[str]()
    with ThreadPoolExecutor(attackers) as crowd:
        attacks = [crowd.submit(attack, app.url, number, over) for number in range(attackers)]
        try:
            while time.monotonic() - began < seconds:
                visits.append(visit(app.url, f"24.1.{len(visits) + 1}.1", size=128, iterations=20))
                health[json.loads(app.ask("/health")[2])["status"]] += 1
                most = max(most, app.held()["MB"])
        finally:
            over.set()
    assert {one.outcome for one in (alone, *visits)} == {"painted"}
    answers = sum((one.result() for one in attacks), Counter())
    # Until what was under way has come to its end: runs, and files whose time is not over yet.
    with contextlib.suppress(AssertionError):
        eventually(lambda: app.counts() == (0, 0) and app.held()["MB"] < before["MB"] + 250, seconds=90)
    return {
        "pictures painted meanwhile": len(visits),
        "alone, until the page, the first frame and the last": (alone.page, alone.first, alone.last),
        "longest to the page": max(one.page for one in visits),
        "longest to the first frame": max(one.first for one in visits),
        "longest to the last": max(one.last for one in visits),
        "requests of attackers": answers.total(),
        "answers": dict(sorted(answers.items())),
        "before": before,
        "MB at most": most,
        "after": app.held(),
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
