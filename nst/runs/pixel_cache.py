"""The pixels of files that were decoded of late, for as long as the files are there."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path

import numpy as np

from nst.runs.storage import Upload

# How a file was decoded: on what ground, with how many pixels on a side at least, whether with its alpha.
How = tuple[float, int, bool]


class PixelCache:
    """Pixels by file and by how it was decoded; those that nobody has asked for longest go first."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._lock = threading.Lock()
        self._items: OrderedDict[tuple[Path, How], np.ndarray] = OrderedDict()

    def get(self, file: Upload, how: How) -> np.ndarray | None:
        """Return a file's pixels, not to be changed; None if they are not kept."""
        with self._lock:
            pixels = self._items.get((file.path, how))
            if pixels is not None:
                self._items.move_to_end((file.path, how))
        return pixels if file.path.is_file() else None

    def put(self, file: Upload, how: How, pixels: np.ndarray) -> None:
        """Keep the pixels of a file, unless they alone are too many."""
        if pixels.nbytes > self.most // 2:
            return
        with self._lock:
            self._items[file.path, how] = pixels
            while self.nbytes > self.most:
                self._items.popitem(last=False)
        if not file.path.is_file():  # removed meanwhile
            self.forget(file.path.parent)

    def forget(self, folder: Path) -> None:
        """Keep nothing of the files in a folder any more."""
        with self._lock:
            for path, how in list(self._items):
                if path.parent == folder:
                    del self._items[path, how]

    @property
    def nbytes(self) -> int:
        """Bytes that are kept."""
        return sum(pixels.nbytes for pixels in self._items.values())
