"""A crowd at the page, on this machine only: who is served, how long all wait, and what is left behind.

    python tests/support/load.py --visitors 30 --runs 200

Some visitors paint to the end, some leave while they wait or watch, some come back at once, some press Stop,
some reload the page, some only read.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import secrets
import statistics
import threading
import time
from collections import Counter
from typing import Any

from app_process import App, paint, running
from gradio_client import Client
from gradio_client.exceptions import AppError
from strangers import Stranger
from waiting import eventually

KINDS = ("stays", "stops", "leaves", "returns", "reads", "reloads")
PATIENCE = 600.0


def paint_on_page(app: App, kind: str, note: dict[str, Any], size: int) -> None:
    """Paint as a page does, pressing Stop or reloading it at the first frame; note what came of it."""
    began = time.monotonic()
    page, session = Stranger(app.url, ""), secrets.token_hex(8)
    # What the browser keeps over a reload: its key, and which run this page shows.
    handle = {"key": secrets.token_urlsafe(24), "run": None}
    values = {"size": size, "iterations": 1000 if kind == "stops" else 40}
    page.fire(page.event("go", "submit"), session, run=handle, **values)
    with contextlib.closing(page.messages(session)) as messages:
        for message in messages:
            if "This host is full" in str(message):
                note["outcome"] = "refused"
            if message["msg"] == "process_completed":
                note["outcome"] = note["outcome"] or "stopped"
                return
            shown = message.get("output", {}).get("data", [])
            handle |= next((one for one in shown if isinstance(one, dict) and "chosen" in one), {})
            if note["first"] is None and message["msg"] == "process_generating" and ".jpg" in str(shown):
                note["first"] = time.monotonic() - began
                if kind == "reloads":
                    break
                page.fire(page.event("go", "stop"), session, run=handle)
        else:
            return
    # The page anew, which asks for the run that was shown.
    session = secrets.token_hex(8)
    asked = page.event("run", "submit")
    page.fire(asked, session, run=handle)
    follow = next(one for one in page.config["dependencies"] if one["trigger_after"] == asked["id"])
    page.fire(follow, session, run=handle)
    ended = next(one for one in page.messages(session) if one["msg"] == "process_completed")
    note["outcome"] = "painted" if ended["success"] else f"broken: {ended}"


def visit(app: App, kind: str, notes: list[dict[str, Any]], size: int) -> None:
    """Be one visitor; note what came of it."""
    began = time.monotonic()
    note: dict[str, Any] = {"kind": kind, "outcome": "", "loads": [], "first": None}
    for _ in range(4 if kind == "reads" else 1):
        asked = time.monotonic()
        assert app.ask("/")[0] == 200
        note["loads"].append(time.monotonic() - asked)
        time.sleep(0.5 if kind == "reads" else 0)
    try:
        if kind in ("stops", "reloads"):
            paint_on_page(app, kind, note, size)
        elif kind == "reads":
            note["outcome"] = "read"
        else:
            client = Client(app.url, verbose=False)
            job = paint(client, size=size)
            if kind in ("leaves", "returns"):
                while not job.done() and not job.outputs() and time.monotonic() - began < 4:
                    time.sleep(0.05)
                job.cancel()
                note["outcome"] = "left"
            if kind == "returns":
                job = paint(client, size=size)
            if kind != "leaves":
                eventually(lambda: job.done() or job.outputs(), seconds=PATIENCE)
                note["first"] = time.monotonic() - began
                job.result(timeout=PATIENCE)
                note["outcome"] = "painted"
    except AppError as error:
        note["outcome"] = "refused" if "full" in str(error) else f"broken: {error}"
    except Exception as error:
        note["outcome"] = f"broken: {type(error).__name__} {error}"
    notes.append(note)


def crowd(app: App, visitors: int, size: int = 128) -> dict[str, Any]:
    """Let visitors come all at once, each with a painting of this size; return what they say."""
    notes: list[dict[str, Any]] = []
    threads = [
        threading.Thread(target=visit, args=(app, KINDS[number % len(KINDS)], notes, size))
        for number in range(visitors)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    loads = sorted(seconds for one in notes for seconds in one["loads"])
    waits = [
        one["first"] for one in notes if one["first"] is not None and one["outcome"] in ("painted", "stopped")
    ]
    with contextlib.suppress(AssertionError):
        eventually(lambda: app.counts() == (0, 0))
    return {
        "outcomes": dict(Counter(one["outcome"] for one in notes)),
        "p95 of a page load": loads[int(0.95 * (len(loads) - 1))],
        "median wait for the first frame": statistics.median(waits) if waits else None,
        "longest": max(waits, default=None),
        "left over": app.counts(),
    }


def endurance(app: App, runs: int) -> dict[str, Any]:
    """Paint again and again; return what the app holds before and after."""
    client = Client(app.url, verbose=False)
    for _ in range(3):
        paint(client, size=64, iterations=10).result(timeout=PATIENCE)
    before = app.held()
    for _ in range(runs):
        paint(client, size=64, iterations=10).result(timeout=PATIENCE)
    return {"runs": runs, "before": before, "after": app.held()}


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=30)
    parser.add_argument("--runs", type=int, default=200)
    chosen = parser.parse_args()
    with running() as app:
        print(json.dumps(crowd(app, chosen.visitors), indent=1), flush=True)
        print(json.dumps(endurance(app, chosen.runs), indent=1), flush=True)
        print(json.dumps({"seconds to end": app.end()}))


if __name__ == "__main__":
    main()
