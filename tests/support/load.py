"""A crowd at the page, or attackers, on this machine only: who is served, how long all wait, what is left.

    python tests/support/load.py --visitors 30
    python tests/support/load.py --attackers 10 --seconds 60

Some visitors paint to the end, some leave while they wait or watch, some come back at once, some only read.
Two attackers share an address, and each does one thing after the other, as fast as he is answered. What they
may do as everybody may, to paint three long pictures at a time, they do not: whoever comes then waits in the
line, as the page says.
"""

import argparse
import contextlib
import itertools
import json
import random
import secrets
import socket
import statistics
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

from app_process import App, running
from pictures import jpeg
from strangers import API, Stranger, bomb, form, gif_of_comments, slow_jpeg
from waiting import eventually

KINDS = ("stays", "leaves", "returns", "reads")
SMALL = {"size": 64, "iterations": 10}
SLOW, COMMENTS, BOMB, LARGE = slow_jpeg(), gif_of_comments(), bomb(), jpeg(4096, 4000)
LISTS = b'{"data": [' + b"[]," * 5_000_000 + b"[]]}"
CROP = {"asked": "x", "box": [0, 0, 1, 1], "turns": 1}
OTHERS_FILES = ("/dev/ptmx", "/etc/passwd", "/proc/self/fd/5", "/dev/zero")
READS_JSON = ("run/predict", "queue/join", "call/v2/stylize", "mcp/")


class Visit(NamedTuple):
    """What became of a visit, and after how many seconds something was there."""

    outcome: str
    page: float
    first: float | None = None  # frame


def visit(url: str, address: str, kind: str = "stays", **settings: Any) -> Visit:
    """Open the page and paint; who leaves does so at the first frame, or after four seconds without one."""
    if kind == "returns":
        visit(url, address, "leaves", **settings)
    me, began = Stranger(url, address), time.monotonic()
    assert me.ask("GET", "/")[0] == 200
    page = time.monotonic() - began
    if kind == "reads":
        return Visit("read", page)
    photo, style = me.sent(jpeg(800, 600, seed=1)), me.sent(jpeg(600, 800, seed=2))
    status, answer = me.call(photo=photo, style=style, **settings)
    assert status == 200, answer
    first, outcome, event = None, "left", b""
    with contextlib.suppress(TimeoutError):
        for line in me.lines(answer["event_id"], 4 if kind == "leaves" else 600):
            if line.startswith(b"event: "):
                event = line[7:].strip()
            elif line.startswith(b"data: ") and event == b"complete":
                outcome = "painted"
                break
            elif line.startswith(b"data: ") and event == b"error":
                outcome = "refused" if b"This host is full" in line else line.decode()
                break
            if first is None and event == b"generating":
                first = time.monotonic() - began
                if kind == "leaves":
                    break
    return Visit(outcome, page, first)


def crowd(urls: Sequence[str], visitors: int, kinds: Sequence[str], **settings: Any) -> list[Visit]:
    """Have visitors come at once, by all addresses in turn; return their visits."""
    each = partial(visit, **settings)
    addresses = [f"5.6.{number}.1" for number in range(visitors)]
    with ThreadPoolExecutor(visitors) as threads:
        return list(threads.map(each, itertools.cycle(urls), addresses, itertools.cycle(kinds)))


def rush(app: App, visitors: int, size: int = 128) -> dict[str, Any]:
    """Let visitors of all kinds come at once, each with a painting of this size; return what they say."""
    visits = crowd([app.url], visitors, KINDS, size=size, iterations=40)
    loads = sorted(one.page for one in visits)
    waits = [one.first for one in visits if one.outcome == "painted" and one.first is not None]
    with contextlib.suppress(AssertionError):
        eventually(lambda: app.counts() == (0, 0))
    return {
        "outcomes": dict(Counter(one.outcome for one in visits)),
        "p95 of a page load": loads[int(0.95 * (len(loads) - 1))],
        "median wait for the first frame": statistics.median(waits) if waits else None,
        "left over": app.counts(),
    }


def paint(me: Stranger, data: bytes) -> str:
    """Paint a small picture with a file; return the event stream."""
    file = me.sent(data)
    return me.painted(photo=file, style=file, **SMALL)


def crop_often(me: Stranger) -> int:
    """Have a large picture cropped for twenty sessions at once."""
    event, photo = me.event("crop", "submit"), me.sent(LARGE)
    return max(me.fire(event, secrets.token_hex(8), CROP, photo=photo)[0] for _ in range(20))


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
    ("films", 100, lambda me: me.fire(me.making("film"), secrets.token_hex(8))[0]),
    ("silence", 1, lambda me: hold(me, [b""] * 100, 2)),
    ("a file that takes minutes to read, looked at", 1, lambda me: me.forecast(me.sent(COMMENTS))[0]),
    ("one that is painted", 2, lambda me: paint(me, SLOW)),
    ("a small file of many pixels", 2, lambda me: paint(me, BOMB)),
    ("crops of a large picture", 1, crop_often),
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
    with ThreadPoolExecutor(attackers) as threads:
        attacks = [threads.submit(attack, app.url, number, over) for number in range(attackers)]
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
        "alone, until the page and the first frame": (alone.page, alone.first),
        "longest to the page": max(one.page for one in visits),
        "longest to the first frame": max(one.first for one in visits),
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
    for name, default in (("visitors", 30), ("attackers", 0), ("seconds", 60)):
        parser.add_argument(f"--{name}", type=int, default=default)
    chosen = parser.parse_args()
    with running() as app:
        attacked = chosen.attackers > 0
        report = siege(app, chosen.attackers, chosen.seconds) if attacked else rush(app, chosen.visitors)
        print(json.dumps({**report, "seconds to end": app.end()}, indent=1))


if __name__ == "__main__":
    main()
