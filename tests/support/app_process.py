"""The app in a process of its own, as a host runs it."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from gradio_client import Client, handle_file
from strangers import Stranger, files_below, memory
from waiting import eventually

ROOT = Path(__file__).parents[2]
UNHURRIED = str(ROOT / "tests" / "support" / "unhurried.py")
PHOTO, STYLE = ROOT / "examples" / "photos" / "rocket.jpg", ROOT / "examples" / "styles" / "marbling.jpg"


def free_port() -> int:
    """Return a port that nobody listens at; from Gradio's own range two tests might take the same."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class App:
    """The app in a process of its own.

    Args:
        folder: of its files and its log.
        script: that is run.
        options: of its command line.
        before: is called in the new process.
        port: any free one by default.
        environment: what it has besides that of the tests.
    """

    def __init__(
        self,
        folder: Path,
        script: str = str(ROOT / "app.py"),
        options: Sequence[str] = (),
        before: Callable[[], None] | None = None,
        port: int = 0,
        **environment: str,
    ) -> None:
        self.port = port or free_port()
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

        own = {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_TEMP_DIR": str(self.folder)}
        with self.log.open("a") as out:
            self.process = subprocess.Popen(
                [sys.executable, script, "--port", str(self.port), *options],
                stdout=out,
                stderr=subprocess.STDOUT,
                preexec_fn=begin,
                start_new_session=True,
                env={**os.environ, **own, **environment},
            )

    def wait(self, listens_only: bool = False) -> None:
        """Return when it answers, or as soon as it listens."""

        def is_up() -> bool:
            assert self.process.poll() is None, self.log.read_text()[-2000:]
            with contextlib.suppress(OSError):
                if not listens_only:
                    return self.ask("/health")[0] == 200
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return True
            return False

        eventually(is_up, self.log.read_text)

    def ask(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of what is asked for on this machine."""
        return Stranger(self.url, "").ask("GET", path)

    def counts(self) -> tuple[int, int]:
        """Return how many runs paint and wait."""
        health = json.loads(self.ask("/health")[2])
        return health["painting"], health["waiting"]

    def held(self) -> dict[str, float]:
        """Return memory in MB, threads, run folders and megabytes on disk."""
        return {
            "MB": memory(self.process.pid),
            "threads": len(list(Path(f"/proc/{self.process.pid}/task").iterdir())),
            "folders": len(list(self.folder.rglob("run-*"))),
            "MB on disk": sum(path.stat().st_size for path in files_below(self.folder)) / 2**20,
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


@contextlib.contextmanager
def running(*options: str, folder: Path | None = None, **more: Any) -> Iterator[App]:
    """Yield the app, up and answering; it is killed in the end.

    Args:
        options: of its command line.
        folder: of its files, a new one by default.
        more: as for `App`.
    """
    with contextlib.ExitStack() as stack:
        folder = folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        app = App(folder, options=options, **more)
        stack.callback(app.kill)
        app.wait()
        yield app


def paint(client: Client, photo: Path = PHOTO, style: Path = STYLE, **settings: Any) -> Any:
    """Return a job that paints a small picture."""
    return client.submit(
        handle_file(photo),
        handle_file(style),
        **{"size": 128, "iterations": 40, **settings},
        api_name="/stylize",
    )


def begin(app: App, **settings: Any) -> Any:
    """Return a job that paints for long, once its first frame is there."""
    job = paint(Client(app.url, verbose=False), iterations=1000, **settings)
    eventually(job.outputs)
    return job
