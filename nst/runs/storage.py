"""All that this host keeps on disk: uploads and runs, each with an owner, an age and a size."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import secrets
import shutil
import stat
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple

from nst.errors import InputError
from nst.painters.accounts import accounts
from nst.runs.cache import orphaned, own_folder
from nst.runs.folder import RunFolder

log = logging.getLogger(__name__)

KEPT_SECONDS = 3600.0
# What one account may have here, as a share of all that is kept, and how many runs.
_SHARE, RUNS_EACH = 8, 20
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what a disk without room left says
NO_ROOM = "This host has no room left to keep pictures; try again later."
# Neither waits for a pipe nor follows a link, should one ever come to lie there; Windows has neither.
_READ = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
    _READ |= getattr(os, _name, 0)
# An upload, whatever its sender calls it, and what a page shows of it, beside it.
_ORIGINAL, _SHOWN = "original", "shown.jpg"
_SUFFIXES = frozenset(
    ".jpg .jpeg .png .webp .avif .heic .heif .tif .tiff .gif .bmp .ppm .tga".split()  # noqa: SIM905
)
# Made by an upload, by a run, or by Gradio for what the page itself shows.
_FOLDER = re.compile(r"(?:upload|run)-[0-9a-f]{32}|[0-9a-f]{64}")
_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,119}")


@dataclass(eq=False)
class _Item:
    """A folder of an upload or a run."""

    path: Path
    client: str
    sender: str = ""  # what its sender calls it
    used: float = field(default_factory=time.monotonic)  # last
    size: int = 0  # bytes
    holds: int = 0  # how many wait for it or work with it

    def is_of(self, account: str) -> bool:
        """Return whether it is charged to an account."""
        return any(account == own for own, _ in accounts(self.client))

    @property
    def is_run(self) -> bool:
        """Whether a run made it."""
        return self.path.name.startswith("run-")


class Upload(NamedTuple):
    """A file that a visitor sent, or that was made here for one."""

    path: Path
    sender: str = ""  # what its sender calls it, if that is known

    @property
    def short_name(self) -> str:
        """What people call it, without an ending; "" if nobody knows."""
        stem = Path(self.sender).stem or self.path.stem.removeprefix(_ORIGINAL)
        return re.sub(r"[^\w]+", "-", stem).strip("-")[:40]

    @property
    def name(self) -> str:
        """What tells it from all others."""
        return str(self.path)

    def read(self, label: str) -> bytes:
        """Return its bytes.

        Raises:
            InputError: it is no longer here, or nothing that was ever sent.
        """
        try:
            number = os.open(self.path, _READ)
            with os.fdopen(number, "rb") as file:
                if not stat.S_ISREG(os.fstat(number).st_mode):
                    raise OSError(errno.EINVAL, "not a regular file")
                return file.read()
        except OSError as error:
            raise InputError(f"{label} is no longer kept here; add it again.") from error


class Files:
    """The files of one host.

    Args:
        most: bytes that may be kept; the oldest of whoever has most go first.
        seconds: for how long a thing is kept after it was last used.
        gone: told of each folder that was removed.
    """

    def __init__(
        self, most: int = 2 * 2**30, seconds: float = KEPT_SECONDS, gone: Callable[[Path], None] | None = None
    ) -> None:
        self.folder = own_folder()
        self.most, self.seconds, self.gone = most, seconds, gone
        self._lock = threading.Lock()
        self._items: dict[Path, _Item] = {}
        self._stop = threading.Event()
        self._orphans = orphaned()
        for path in self._orphans:
            with contextlib.suppress(OSError):
                self._items[path] = _Item(
                    path,
                    "",
                    used=time.monotonic() - max(0.0, time.time() - path.stat().st_mtime),
                    size=sum(file.stat().st_size for file in path.iterdir()),
                )

    # What comes in

    def add_upload(self, client: str, name: str | None, source: IO[bytes]) -> Path:
        """Keep an upload under a name that nobody can guess; return its path.

        Args:
            name: its sender's; in the file's own only a suffix is left of it, if pictures have that.

        Raises:
            OSError: there is no room.
        """
        suffix = Path(name or "").suffix.lower()
        folder = self._new("upload", client, (name or "")[-120:])
        path = folder / (_ORIGINAL + (suffix if suffix in _SUFFIXES else ""))
        try:
            with path.open("xb") as file:
                shutil.copyfileobj(source, file, 2**20)
                size = file.tell()
        except BaseException:
            self._remove([self._items[path.parent]])
            raise
        self._grew(path.parent, size)
        return path

    def new_run(self, client: str) -> RunFolder:
        """Return an empty folder for a run."""
        return RunFolder(self._new("run", client), self._grew)

    def add_shown(self, sent: Upload, data: bytes) -> str:
        """Write what a page shows of an upload, a JPEG; return its path.

        Raises:
            OSError: the upload is gone, or there is no room.
        """
        return RunFolder(sent.path.parent, self._grew).write(_SHOWN, data)

    @contextlib.contextmanager
    def coming(self, client: str) -> Iterator[Callable[[int], None]]:
        """Count bytes that are on their way in as kept, for as long as the context lasts.

        Yields:
            what is told how many more have come; raises OSError if there is no room for them.
        """
        item = _Item(self.folder / f"coming-{secrets.token_hex(16)}", client, holds=1)  # it never exists
        with self._lock:
            self._items[item.path] = item

        def more(size: int) -> None:
            self._grew(item.path, size)
            if self.held_bytes() > self.most:
                raise OSError(errno.ENOSPC, "as much is on its way as may be kept")

        try:
            yield more
        finally:
            with self._lock:
                self._items.pop(item.path, None)

    # What a host that was killed has left

    def orphaned_runs(self) -> list[RunFolder]:
        """Return the folders of runs that were taken over."""
        return [RunFolder(path, self._grew) for path in self._orphans if path.name.startswith("run-")]

    def keep_orphans(self, ages: Mapping[Path, float]) -> None:
        """Remove what was taken over but for these folders.

        Args:
            ages: of each, the seconds since it was last used.
        """
        with self._lock:
            for path, age in ages.items():
                if item := self._items.get(path):
                    item.used = time.monotonic() - age
            going = [item for path in self._orphans if path not in ages and (item := self._items.get(path))]
        self._remove(going)

    # What may be named

    def find(self, name: Any) -> Path | None:
        """Return the path of what an upload, a run or the page made here; None for any other name.

        Whether it is still there is not asked: whoever may name it was told its name.
        """
        if not isinstance(name, str) or len(name) > 600:
            return None
        path = Path(name)
        if ".." in path.parts or not path.is_absolute():
            return None
        if not (_FOLDER.fullmatch(path.parent.name) and _FILE.fullmatch(path.name)):
            return None
        # A page that was opened before a restart names what then lay in another folder, such as an example.
        return self.folder / path.parent.name / path.name

    def sent(self, name: Any, label: str) -> Upload:
        """Return a file that a visitor may name.

        Raises:
            InputError: it is none.
        """
        path = self.find(name)
        if path is None:
            raise InputError(f"{label} is not a file that was sent here; upload it first.")
        self._touch(path.parent)
        if path.name == _SHOWN:
            path = next(path.parent.glob(f"{_ORIGINAL}*"), path)
        with self._lock:
            item = self._items.get(path.parent)
        return Upload(path, item.sender if item else "")

    def shown(self, sent: Upload) -> str:
        """Return the path of what a page shows of a file."""
        preview = sent.path.with_name(_SHOWN)
        return str(preview if preview.exists() else sent.path)

    @contextlib.contextmanager
    def held(self, folders: Iterable[Path]) -> Iterator[None]:
        """Keep folders for as long as the context lasts, however long somebody waits for a turn."""
        with self._lock:
            items = [item for folder in folders if (item := self._items.get(folder))]
            for item in items:
                item.holds += 1
        try:
            yield
        finally:
            with self._lock:
                for item in items:
                    item.holds -= 1
                    item.used = time.monotonic()

    # What goes

    def start(self) -> None:
        """Sweep from now on by the clock, also while nobody comes."""
        threading.Thread(target=self._keep_sweeping, name="sweep", daemon=True).start()

    def close(self) -> None:
        """Remove everything."""
        self._stop.set()
        with self._lock:
            items = list(self._items.values())
        self._remove(items)

    def sweep(self) -> None:
        """Remove what was last used too long ago."""
        now = time.monotonic()
        with self._lock:
            old = [one for one in self._items.values() if not one.holds and now - one.used > self.seconds]
        self._remove(old)

    def remove(self, path: Path) -> None:
        """Remove a folder at once."""
        with self._lock:
            item = self._items.get(path)
        self._remove([item] if item else [])

    def held_bytes(self) -> int:
        """Return how much is kept."""
        with self._lock:
            return sum(item.size for item in self._items.values())

    def _keep_sweeping(self) -> None:
        while not self._stop.wait(min(30.0, self.seconds / 4)):
            try:
                self.sweep()
            except Exception:
                log.exception("sweeping failed; it is tried again")

    def _new(self, kind: str, client: str, sender: str = "") -> Path:
        path = self.folder / f"{kind}-{secrets.token_hex(16)}"
        path.mkdir(mode=0o700)
        with self._lock:
            self._items[path] = _Item(path, client, sender)
        return path

    def _touch(self, path: Path) -> None:
        with self._lock:
            if item := self._items.get(path):
                item.used = time.monotonic()

    def _grew(self, path: Path, size: int) -> None:
        """Note bytes that came to lie in a folder; make room by what is oldest."""
        with self._lock:
            if item := self._items.get(path):
                item.size += size
                item.used = time.monotonic()
                going = self._too_much(item)
            else:
                going = []
        self._remove(going)

    def _too_much(self, grown: _Item) -> list[_Item]:
        """Return what has to go: an account's own oldest first, then the oldest of whoever has most."""
        loose = [one for one in self._items.values() if not one.holds and one is not grown]
        loose.sort(key=lambda one: one.used)
        going: list[_Item] = []
        for account, share in accounts(grown.client) if grown.client else ():  # the others share all of it
            own = [one for one in self._items.values() if one.is_of(account) and one not in going]
            size, runs = sum(one.size for one in own), sum(one.is_run for one in own)
            for one in loose:
                over = size > self.most * share // _SHARE or (one.is_run and runs > RUNS_EACH * share)
                if over and one.is_of(account):
                    going.append(one)
                    size, runs = size - one.size, runs - one.is_run
            loose = [one for one in loose if one not in going]
        size = sum(one.size for one in self._items.values()) - sum(one.size for one in going)
        while size > self.most and loose:
            shares: dict[str, int] = {}
            for one in loose:
                widest = accounts(one.client)[-1][0]
                shares[widest] = shares.get(widest, 0) + one.size
            richest = max(shares, key=shares.__getitem__)
            oldest = next(one for one in loose if one.is_of(richest))
            going.append(oldest)
            loose.remove(oldest)
            size -= oldest.size
        return going

    def _remove(self, items: list[_Item]) -> None:
        for item in items:
            shutil.rmtree(item.path, ignore_errors=True)
            with self._lock:
                self._items.pop(item.path, None)
            if self.gone:
                self.gone(item.path)
