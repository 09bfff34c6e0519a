"""The app in a process of its own, as a host runs it."""

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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gradio_client import Client, handle_file
from strangers import Stranger
from waiting import eventually, started_with

ROOT = Path(__file__).parents[2]
PHOTO, STYLE = ROOT / "examples" / "photos" / "rocket.jpg", ROOT / "examples" / "styles" / "marbling.jpg"


def free_port() -> int:
    """Return a port that nobody listens at; from Gradio's own range two tests might take the same."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def listens(port: int) -> bool:
    """Return whether somebody listens at a port of this machine."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


class App:
    """The app in a process of its own, which `running` begins and ends."""

    def __init__(self, folder: Path, port: int, command: list[str], environment: dict[str, str]) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}"
        self.folder, self.log = folder / "files", folder / "log"
        self.folder.mkdir(exist_ok=True)
        libc = ctypes.CDLL(None)

        def end_with_the_tests() -> None:
            if sys.platform == "linux":
                libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG, however they end

        own = {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_TEMP_DIR": str(self.folder)}
        with self.log.open("a") as out:
            self.process = subprocess.Popen(
                command,
                stdout=out,
                stderr=subprocess.STDOUT,
                preexec_fn=end_with_the_tests,
                start_new_session=True,
                env={**os.environ, **own, **environment},
            )

    def answers(self) -> bool:
        """Return whether it is up; it is a fault if it has ended."""
        assert self.process.poll() is None, self.log.read_text()[-2000:]
        with contextlib.suppress(OSError):
            return self.ask("/health")[0] == 200
        return False

    def ask(self, path: str) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers and body of what is asked for on this machine."""
        return Stranger(self.url, "").ask("GET", path)

    def counts(self) -> tuple[int, int]:
        """Return how many runs paint and wait."""
        health = json.loads(self.ask("/health")[2])
        return health["painting"], health["waiting"]

    def held(self) -> dict[str, float]:
        """Return the memory in MB and the threads of all its processes."""
        mine = started_with("GRADIO_TEMP_DIR", str(self.folder))
        return {
            "MB": sum(one.info["memory_info"].rss for one in mine) / 2**20,
            "threads": sum(one.info["num_threads"] for one in mine),
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
def running(
    *options: str, folder: Path | None = None, script: str = "app.py", port: int = 0, **environment: str
) -> Iterator[App]:
    """Yield the app, up and answering, with its files and its log in a folder; it is killed in the end."""
    with contextlib.ExitStack() as stack:
        folder = folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = port or free_port()
        command = [sys.executable, str(ROOT / script), "--port", str(port), *options]
        app = App(folder, port, command, environment)
        stack.callback(app.kill)
        eventually(app.answers, app.log.read_text)
        yield app


def paint(client: Client, photo: Path = PHOTO, style: Path = STYLE, **settings: Any) -> Any:
    """Return a job that paints a small picture."""
    given = {"size": 128, "iterations": 40, **settings}
    return client.submit(handle_file(photo), handle_file(style), **given, api_name="/stylize")
