"""The folder of one run: its passing frames and what is finished."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

MOST_FRAMES = 64
_IN_FLIGHT = 8  # newest frames, which a browser may be about to fetch


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
    """One run's own folder.

    Its name cannot be guessed, so nobody reaches another visitor's pictures.
    """

    def __init__(self, path: Path, grew: Callable[[Path, int], None] = lambda path, size: None) -> None:
        self.path, self._grew = path, grew
        self.frames: list[Kept] = []

    def add_frame(self, data: bytes, iteration: int, size: tuple[int, int]) -> str:
        """Write a passing frame under a new name; return its path. Of a long run ever fewer are kept."""
        path = self.add(f"{secrets.token_hex(4)}.jpg", data)
        self.frames.append(Kept(path, iteration, size))
        if len(self.frames) > MOST_FRAMES:
            old, new = self.frames[:-_IN_FLIGHT], self.frames[-_IN_FLIGHT:]
            for frame in old[1::2]:
                with contextlib.suppress(FileNotFoundError):
                    self._grew(self.path, -Path(frame.path).stat().st_size)
                    Path(frame.path).unlink()
            self.frames = old[::2] + new
        return path

    def add(self, name: str, data: bytes) -> str:
        """Write a file that stays as long as the folder; return its path."""
        path = self.path / name
        path.write_bytes(data)
        self._grew(self.path, len(data))
        return str(path)
