"""A crowd at the page, on this machine only: who is served, how long all wait, and what is left behind.

    python tests/support/load.py --visitors 30 --runs 200

Some visitors paint to the end, some leave while they wait or watch, some come back at once, some only read.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from app_process import App, running
from pictures import jpeg
from strangers import Stranger
from waiting import eventually

KINDS = ("stays", "leaves", "returns", "reads")
SMALL = {"size": 64, "iterations": 10}


class Visit(NamedTuple):
    """What became of a visit: when it began, and after how many seconds something was there."""

    outcome: str
    began: float
    page: float
    first: float | None = None  # frame
    last: float = 0.0


def visit(url: str, address: str, kind: str = "stays", **settings: Any) -> Visit:
    """Open the page and paint; who leaves does so at the first frame, or after four seconds without one."""
    if kind == "returns":
        visit(url, address, "leaves", **settings)
    me, began = Stranger(url, address), time.monotonic()
    assert me.ask("GET", "/")[0] == 200
    page = time.monotonic() - began
    if kind == "reads":
        return Visit("read", began, page)
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
    return Visit(outcome, began, page, first, time.monotonic() - began)


def crowd(
    urls: Sequence[str], visitors: int, kinds: Sequence[str], apart: float = 0.0, **settings: Any
) -> list[Visit]:
    """Have visitors come so many seconds after one another, by all addresses in turn; return their visits."""
    coming = []
    with ThreadPoolExecutor(visitors) as threads:
        for number in range(visitors):
            who = urls[number % len(urls)], f"5.6.{number}.1", kinds[number % len(kinds)]
            coming.append(threads.submit(visit, *who, **settings))
            time.sleep(apart)
    return [one.result() for one in coming]


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
        "longest": max(waits, default=None),
        "left over": app.counts(),
    }


def endurance(app: App, runs: int) -> dict[str, Any]:
    """Paint small pictures, of which few bytes are cached, again and again; return what is held around it."""
    me = Stranger(app.url, "")

    def paint(times: int) -> dict[str, float]:
        for _ in range(times):
            picture = me.sent(jpeg())
            assert "event: complete" in me.painted(photo=picture, style=picture, **SMALL)
        return app.held()

    return {"runs": runs, "before": paint(3), "after": paint(runs)}


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--runs", type=int, default=200)
    chosen = parser.parse_args()
    with running() as app:
        print(json.dumps(rush(app, chosen.visitors), indent=1), flush=True)
        print(json.dumps(endurance(app, chosen.runs), indent=1), flush=True)
        print(json.dumps({"seconds to end": app.end()}))


if __name__ == "__main__":
    main()
