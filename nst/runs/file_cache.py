"""What was read of files of late, for as long as the files are there."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from pathlib import Path
from typing import Any


class FileCache:
    """What was read, by file and by what that is; what nobody has asked for longest goes first."""

    def __init__(self, most: int) -> None:
        self.most, self.nbytes = most, 0  # bytes that may be kept, and that are
        self._lock = threading.Lock()
        self._items: OrderedDict[tuple[Path, Hashable], tuple[Any, int]] = OrderedDict()

    def get(self, path: Path, what: Hashable) -> Any:
        """Return what was read of a file, not to be changed; None if it is not kept."""
        with self._lock:
            if (path, what) not in self._items:
                return None
            self._items.move_to_end((path, what))
            return self._items[path, what][0]

    def put(self, path: Path, what: Hashable, value: Any, nbytes: int) -> None:
        """Keep what was read of a file, unless that alone is too much."""
        if nbytes > self.most // 2:
            return
        with self._lock:
            self._remove((path, what))
            self._items[path, what] = value, nbytes
            self.nbytes += nbytes
            while self.nbytes > self.most:
                self._remove(next(iter(self._items)))
        if not path.is_file():  # removed meanwhile
            self.forget(path.parent)

    def forget(self, folder: Path) -> None:
        """Keep nothing of the files in a folder any more."""
        with self._lock:
            for path, what in list(self._items):
                if path.parent == folder:
                    self._remove((path, what))

    def _remove(self, key: tuple[Path, Hashable]) -> None:
        _, nbytes = self._items.pop(key, (None, 0))
        self.nbytes -= nbytes
