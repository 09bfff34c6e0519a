"""A crowd at the page, on this machine only: who is served, how long all wait, and what is left behind.

    python tests/support/load.py --visitors 30 --runs 200

Some visitors paint to the end, some leave while they wait or watch, some come back at once, some press Stop,
some reload the page, some only read.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import http.client
import json
import os
import secrets
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

ROOT = Path(__file__).parents[2]
UNHURRIED = str(ROOT / "tests" / "support" / "unhurried.py")
PHOTO, STYLE = ROOT / "examples" / "photos" / "rocket.jpg", ROOT / "examples" / "styles" / "marbling.jpg"
KINDS = ("stays", "stops", "leaves", "returns", "reads", "reloads")
PATIENCE = 600.0


class App:
    """The app in a process of its own."""

    def __init__(
        self,
        folder: Path,
        script: str = str(ROOT / "app.py"),
        options: Sequence[str] = (),
        before: Callable[[], None] | None = None,
        port: int = 0,
        **environment: str,
    ) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = port or free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder, self.log = folder / "files", folder / "log"
        self.folder.mkdir(exist_ok=True)
        libc = ctypes.CDLL(None)

        def begin() -> None:
            if before:
                before()
            if sys.platform.startswith("linux"):
                # PR_SET_PDEATHSIG: it does not outlive the tests, however these end.
                libc.prctl(1, signal.SIGKILL)

        with self.log.open("a") as out:
            self.process = subprocess.Popen(
                [sys.executable, script, "--port", str(self.port), *options],
                stdout=out,
                stderr=subprocess.STDOUT,
                preexec_fn=begin,
                start_new_session=True,
                env={
                    **os.environ,
                    "GRADIO_ANALYTICS_ENABLED": "False",
                    "GRADIO_TEMP_DIR": str(self.folder),
                    **environment,
                },
            )

    def wait(self, listens_only: bool = False) -> None:
        """Return when it answers, or as soon as it listens."""
        began = time.monotonic()
        while True:
            with contextlib.suppress(OSError):
                if listens_only:
                    socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                    return
                if self.get("/health")[0] == 200:
                    return
            if self.process.poll() is not None or time.monotonic() - began > 60:
                raise RuntimeError("the app did not come up: " + self.log.read_text()[-2000:])
            time.sleep(0.1)

    def get(self, path: str) -> tuple[int, bytes, float]:
        """Return status, body and seconds of a GET."""
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body, time.monotonic() - began

    def counts(self) -> tuple[int, int]:
        """Return how many runs paint and wait."""
        told = json.loads(self.get("/health")[1])
        return told["painting"], told["waiting"]

    def held(self) -> dict[str, float]:
        """Return memory in MB, threads, run folders and megabytes on disk."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        lines = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        return {
            "MB": int(lines["VmRSS"].split()[0]) / 1024,
            "threads": int(lines["Threads"]),
            "folders": len(list(self.folder.rglob("run-*"))),
            "MB on disk": sum(path.stat().st_size for path in files) / 2**20,
        }

    def kill(self) -> None:
        """End it and all that it has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self) -> float:
        """Ask it to end; return the seconds that it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)
        return time.monotonic() - began


class Tab:
    """The page in a browser's tab, as far as the host can tell: what it posts and what it listens to."""

    def __init__(self, app: App, handle: dict[str, Any] | None = None, **knobs: Any) -> None:
        self.app, self.session = app, secrets.token_hex(8)
        self.loads = app.get("/")[2]
        config = json.loads(app.get("/config")[1])
        self.dependencies = config["dependencies"]
        self.ids = {one["props"].get("elem_id"): one["id"] for one in config["components"]}
        self.values = {one["id"]: one["props"].get("value") for one in config["components"]}
        self.values |= {self.ids[name]: value for name, value in knobs.items()}
        # What the browser keeps over a reload: its key, and which run this tab shows.
        self.handle = self.values[self.ids["run"]] = handle or {"key": secrets.token_urlsafe(24), "run": None}
        self.listening: http.client.HTTPConnection | None = None

    def press(self, kind: str, way: str) -> None:
        """Press Paint ("submit") or Stop ("stop"); that goes by the queue ("queue/join") or past it."""
        self.send(self.event("go", kind), way)

    def come_back(self) -> None:
        """Ask for the run that was shown before a reload, as the page does by itself."""
        brought = self.event("run", "submit")
        self.send(brought, "run/predict")
        follow = next(one for one in self.dependencies if one["trigger_after"] == brought["id"])
        self.send(follow, "queue/join")

    def event(self, name: str, kind: str) -> dict[str, Any]:
        """Return what an element does."""
        number = self.ids[name]
        return next(
            one for one in self.dependencies if [number, kind] in one["targets"] and one["backend_fn"]
        )

    def send(self, event: dict[str, Any], way: str) -> None:
        """Have the host do it."""
        body = {
            "data": [self.values[one] for one in event["inputs"]],
            "fn_index": event["id"],
            "session_hash": self.session,
            "trigger_id": event["targets"][0][0] if event["targets"] else None,
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.app.port, timeout=60)
        connection.request(
            "POST", f"/gradio_api/{way}", json.dumps(body), {"content-type": "application/json"}
        )
        status, text = (answer := connection.getresponse()).status, answer.read()
        connection.close()
        if status != 200:
            raise RuntimeError(f"event {event['id']}: {status} {text[:200]!r}")

    def messages(self) -> Iterator[tuple[str, str]]:
        """Yield kind and text of each message of the events that were joined."""
        self.listening = http.client.HTTPConnection("127.0.0.1", self.app.port, timeout=PATIENCE)
        self.listening.request("GET", f"/gradio_api/queue/data?session_hash={self.session}")
        for line in self.listening.getresponse():
            if line.startswith(b"data: "):
                told = json.loads(line[6:])
                shown = told.get("output", {}).get("data", [])
                self.handle |= next((one for one in shown if isinstance(one, dict) and "chosen" in one), {})
                yield told["msg"], line.decode()

    def close(self) -> None:
        """Be gone, as a tab is that was closed or reloaded."""
        if self.listening and self.listening.sock:
            self.listening.sock.shutdown(socket.SHUT_RDWR)
            self.listening.close()


def paint_in_tab(app: App, kind: str, told: dict[str, Any], size: int) -> None:
    """Paint on the page, pressing Stop or reloading it at the first frame; note what came of it."""
    began = time.monotonic()
    tab = Tab(app, size=size, iterations=1000 if kind == "stops" else 40)
    tab.press("submit", "queue/join")
    follow(tab, kind, began, told)


def follow(tab: Tab, kind: str, began: float, told: dict[str, Any]) -> None:
    """See what comes of a run."""
    told["loads"].append(tab.loads)
    for message, text in tab.messages():
        if "This host is full" in text:
            told["outcome"] = "refused"
        if message == "process_completed":
            told["outcome"] = told["outcome"] or ("painted" if kind == "stays" else "stopped")
            break
        if told["first"] is None and message == "process_generating" and ".jpg" in text:
            told["first"] = time.monotonic() - began
            if kind == "stops":
                tab.press("stop", "run/predict")
            if kind == "reloads":
                tab.close()
                again = Tab(tab.app, tab.handle)
                again.come_back()
                follow(again, "stays", began, told)
                return
    tab.close()


@contextlib.contextmanager
def running(*options: str, **environment: str) -> Iterator[App]:
    """Yield the app, up and answering."""
    with tempfile.TemporaryDirectory() as folder:
        app = App(Path(folder), options=options, **environment)
        try:
            app.wait()
            yield app
        finally:
            app.kill()


def paint(client: Client, photo: Path = PHOTO, style: Path = STYLE, **settings: Any) -> Any:
    """Return a job that paints a small picture."""
    return client.submit(
        handle_file(photo),
        handle_file(style),
        **{"size": 128, "iterations": 40, **settings},
        api_name="/stylize",
    )


def visit(app: App, kind: str, told: list[dict[str, Any]], size: int) -> None:
    """Be one visitor; note what came of it."""
    began = time.monotonic()
    note: dict[str, Any] = {"kind": kind, "outcome": "", "loads": [], "first": None}
    for _ in range(4 if kind == "reads" else 1):
        status, _, seconds = app.get("/")
        assert status == 200
        note["loads"].append(seconds)
        time.sleep(0.5 if kind == "reads" else 0)
    try:
        if kind in ("stops", "reloads"):
            paint_in_tab(app, kind, note, size)
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
                while not job.done() and not job.outputs():
                    time.sleep(0.05)
                note["first"] = time.monotonic() - began
                job.result(timeout=PATIENCE)
                note["outcome"] = "painted"
    except AppError as error:
        note["outcome"] = "refused" if "full" in str(error) else f"broken: {error}"
    except Exception as error:
        note["outcome"] = f"broken: {type(error).__name__} {error}"
    told.append(note)


def crowd(app: App, visitors: int, size: int = 128) -> dict[str, Any]:
    """Let visitors come all at once, each with a painting of this size; return what they say."""
    told: list[dict[str, Any]] = []
    threads = [
        threading.Thread(target=visit, args=(app, KINDS[number % len(KINDS)], told, size))
        for number in range(visitors)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    loads = sorted(seconds for one in told for seconds in one["loads"])
    waits = [
        one["first"] for one in told if one["first"] is not None and one["outcome"] in ("painted", "stopped")
    ]
    settled = time.monotonic()
    while app.counts() != (0, 0) and time.monotonic() - settled < 30:
        time.sleep(0.1)
    return {
        "outcomes": dict(Counter(one["outcome"] for one in told)),
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
