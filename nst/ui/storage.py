"""The files of a run, for as long as a browser may fetch them."""

from __future__ import annotations

import secrets
import shutil
import time
from pathlib import Path

from gradio.utils import get_upload_folder

KEPT_FRAMES = 8
KEPT_SECONDS = 3600.0
_PREFIX = "run-"


class RunFolder:
    """One run's own folder inside Gradio's cache, which serves what lies there as it is.

    Its name cannot be guessed, so nobody reaches another visitor's pictures.
    """

    def __init__(self) -> None:
        self.path = Path(get_upload_folder()) / f"{_PREFIX}{secrets.token_hex(16)}"
        self.path.mkdir(parents=True)
        self.frames: list[Path] = []

    def add_frame(self, data: bytes) -> str:
        """Write a passing frame under a new name, forget the oldest ones; return its path."""
        path = self.path / f"{secrets.token_hex(4)}.jpg"
        path.write_bytes(data)
        self.frames.append(path)
        while len(self.frames) > KEPT_FRAMES:
            self.frames.pop(0).unlink(missing_ok=True)
        return str(path)

    def add(self, name: str, data: bytes) -> str:
        """Write a file that stays as long as the folder; return its path."""
        path = self.path / name
        path.write_bytes(data)
        return str(path)


def sweep() -> None:
    """Remove the folders of runs that ended more than an hour ago."""
    for path in Path(get_upload_folder()).glob(f"{_PREFIX}*"):
        try:
            if time.time() - path.stat().st_mtime > KEPT_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
        except FileNotFoundError:  # another run's sweep was faster
            continue
