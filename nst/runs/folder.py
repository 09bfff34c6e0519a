"""The folder of one run: its passing frames and what is finished."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

MOST_FRAMES = 64
_IN_FLIGHT = 8  # newest frames, which a browser may be about to fetch
_SHOWN = 12  # frames, as many as stand in a row under the canvas


class SavedFrame(NamedTuple):
    """A picture of the run that is still there."""

    path: str
    iteration: int
    size: tuple[int, int]  # width and height of the canvas then; the file may be a preview of it
    change: float = 0.0  # how much has been seen to change up to here, from frame to frame, white being 1

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
        self.frames: list[SavedFrame] = []
        self.finished: SavedFrame | None = None
        self.before = ""  # path of the photo at the finished size
        self.film: tuple[list[SavedFrame], str, str] | None = None  # frames, paths of MP4 and WebP

    def add_frame(self, data: bytes, iteration: int, size: tuple[int, int], change: float = 0.0) -> str:
        """Write a passing frame under a new name; return its path. Of a long run ever fewer are kept."""
        path = self.add("step", ".jpg", data)
        self.frames.append(SavedFrame(path, iteration, size, change))
        if len(self.frames) > MOST_FRAMES:
            old, new = self.frames[:-_IN_FLIGHT], self.frames[-_IN_FLIGHT:]
            for frame in old[1::2]:
                with contextlib.suppress(FileNotFoundError):
                    self._grew(self.path, -Path(frame.path).stat().st_size)
                    Path(frame.path).unlink()
            self.frames = old[::2] + new
        return path

    def add(self, kind: str, suffix: str, data: bytes) -> str:
        """Write a file that can be fetched; return its path, which tells nobody another one's."""
        return self.write(f"{kind}-{secrets.token_hex(8)}{suffix}", data)

    def write(self, name: str, data: bytes) -> str:
        """Write a file that stays as long as the folder, whole or not at all; return its path."""
        path = self.path / name
        before = path.stat().st_size if path.exists() else 0
        beside = path.with_name(f".{name}.part")
        try:
            beside.write_bytes(data)
            beside.replace(path)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
        self._grew(self.path, len(data) - before)
        return str(path)

    def finish(
        self, picture: bytes, photo: bytes, iteration: int, size: tuple[int, int], change: float = 0.0
    ) -> str:
        """Write the finished PNG, and the photo at its size as JPEG; return the former's path."""
        self.before = self.add("photo", ".jpg", photo)
        path = self.add("painting", ".png", picture)
        self.finished = SavedFrame(path, iteration, size, change)
        return path

    def kept(self) -> list[SavedFrame]:
        """Return all pictures that are there, the finished one last."""
        return [*self.frames, *([self.finished] if self.finished else [])]

    def shown(self) -> list[SavedFrame]:
        """Return those of a row under the canvas: as different from one another as they can be."""
        kept = self.kept()
        if len(kept) <= _SHOWN:
            return kept
        begin, end = kept[0].change, kept[-1].change
        found: list[SavedFrame] = []
        for number in range(_SHOWN):
            # So that as many stay as are still to be found.
            left = kept[len(found) and kept.index(found[-1]) + 1 : len(kept) - (_SHOWN - 1 - number)]
            wanted = begin + (end - begin) * number / (_SHOWN - 1)
            found.append(min(left, key=lambda each: abs(each.change - wanted)))
        return found
