"""The files of a run, for as long as a browser may fetch them."""

from __future__ import annotations

import contextlib
import errno
import secrets
import shutil
import time
from pathlib import Path
from typing import NamedTuple

from gradio.utils import get_upload_folder

MOST_FRAMES = 64
_IN_FLIGHT = 8  # newest frames, which a browser may be about to fetch
KEPT_SECONDS = 3600.0
MOST_RUNS = 200
_PREFIX = "run-"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what a disk without room left says
NO_ROOM = "This host has no room left to keep pictures; try again later."


class Kept(NamedTuple):
    """A passing frame that is still there."""

    path: str
    iteration: int
    size: tuple[int, int]  # width and height of the canvas then; the file is a preview of it

    @property
    def name(self) -> str:
        """What people read."""
        return f"Step {self.iteration}, {max(self.size)} px"


class RunFolder:
    """One run's own folder inside Gradio's cache, which serves what lies there as it is.

    Its name cannot be guessed, so nobody reaches another visitor's pictures.
    """

    def __init__(self) -> None:
        self.path = Path(get_upload_folder()) / f"{_PREFIX}{secrets.token_hex(16)}"
        self.path.mkdir(parents=True)
        self.frames: list[Kept] = []

    def add_frame(self, data: bytes, iteration: int, size: tuple[int, int]) -> str:
        """Write a passing frame under a new name; return its path. Of a long run ever fewer are kept."""
        path = self.path / f"{secrets.token_hex(4)}.jpg"
        path.write_bytes(data)
        self.frames.append(Kept(str(path), iteration, size))
        if len(self.frames) > MOST_FRAMES:
            old, new = self.frames[:-_IN_FLIGHT], self.frames[-_IN_FLIGHT:]
            for frame in old[1::2]:
                Path(frame.path).unlink(missing_ok=True)
            self.frames = old[::2] + new
        return str(path)

    def add(self, name: str, data: bytes) -> str:
        """Write a file that stays as long as the folder; return its path."""
        path = self.path / name
        path.write_bytes(data)
        return str(path)


def sweep() -> None:
    """Remove the folders of runs that ended more than an hour ago, and the oldest if there are very many."""
    ages = {}
    for path in Path(get_upload_folder()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(FileNotFoundError):  # another run's sweep was faster
            ages[path] = time.time() - path.stat().st_mtime
    newest = sorted(ages, key=ages.__getitem__)
    for place, path in enumerate(newest, 1):
        if ages[path] > KEPT_SECONDS or place > MOST_RUNS:
            shutil.rmtree(path, ignore_errors=True)
