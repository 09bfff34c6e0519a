"""All that this host keeps on disk: uploads and runs, each with an owner, an age and a size."""

from __future__ import annotations

import contextlib
import errno
import re
import secrets
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple, TypeVar

from nst.errors import InputError
from nst.painters.scheduler import accounts
from nst.runs.own_folder import own_folder

KEPT_SECONDS = 3600.0
# What one account may have here, as a share of all that is kept, and how many runs.
_SHARE, RUNS_EACH = 8, 20
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what a disk without room left says
NO_ROOM = "This host has no room left to keep pictures; try again later."
MOST_FRAMES = 64  # of a run
IN_FLIGHT = 8  # newest frames, which a browser may be about to fetch
_IN_ROW = 12  # frames, as many as stand in a row under the canvas
# An upload, whatever its sender calls it, and what a page shows of it, beside it.
_ORIGINAL, _PREVIEW = "original", "shown.jpg"
_SUFFIXES = frozenset(
    ".jpg .jpeg .png .webp .avif .heic .heif .tif .tiff .gif .bmp .ppm .tga .mp4 .mov .m4v .webm .mkv".split()  # noqa: SIM905
)
# Made by an upload, by a run, or by Gradio for what the page itself shows.
_FOLDER = re.compile(r"(?:upload|run)-[0-9a-f]{32}|[0-9a-f]{64}")
_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,119}")


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
    def preview(self) -> Path:
        preview = self.path.with_name(_PREVIEW)
        return preview if preview.exists() else self.path

    def read(self, label: str) -> bytes:
        """Return its bytes; raise InputError if it is no longer here, or was never sent."""
        with contextlib.suppress(OSError):
            # Neither waits for a pipe nor follows a link, should one ever come to lie there.
            if self.path.is_file() and not self.path.is_symlink():
                return self.path.read_bytes()
        raise InputError(f"{label} is no longer kept here; add it again.")


@dataclass(eq=False)
class Folder:
    """The folder of one upload or run, whose name nobody can guess who was not told it."""

    files: Files
    path: Path
    client: str
    sender: str = ""  # what its sender calls an upload
    used: float = field(default_factory=time.monotonic)  # last
    size: int = 0  # bytes
    holds: int = 0  # how many wait for it or work with it

    def write(self, name: str, data: bytes) -> str:
        """Write a file that stays as long as the folder, whole or not at all; return its path."""
        path = self.path / name
        before = path.stat().st_size if path.exists() else 0
        part = path.with_name(f".{name}.part")
        try:
            part.write_bytes(data)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        self.files.grew(self, len(data) - before)
        return str(path)


class SavedFrame(NamedTuple):
    """A picture of a run that is still there."""

    path: str
    iteration: int
    size: tuple[int, int]  # width and height of the canvas then; the file may be a preview of it
    change: float = 0.0  # how much has been seen to change up to here, from frame to frame, white being 1
    of_clip: bool = False  # a frame of a clip, whose number the iteration is

    @property
    def name(self) -> str:
        if self.of_clip:
            return f"Frame {self.iteration}"
        return f"Step {self.iteration}, {max(self.size)} px"


@dataclass(eq=False)
class RunFolder(Folder):
    """The folder of one run: its passing frames and what is finished."""

    frames: list[SavedFrame] = field(default_factory=list)
    finished: SavedFrame | None = None
    before: str = ""  # path of the photo at the finished size
    film: tuple[str, str] | None = None  # paths of MP4 and WebP, once they were asked for
    # Of a clip: paths of what is shown of its frame in work and of all before it, and how many these are.
    passing: list[str] = field(default_factory=list)
    so_far: str = ""
    filmed: int = 1

    def add(self, kind: str, suffix: str, data: bytes) -> str:
        """Write a file that can be fetched; return its path, which tells nobody another one's."""
        return self.write(f"{kind}-{secrets.token_hex(8)}{suffix}", data)

    def add_frame(self, data: bytes, iteration: int, size: tuple[int, int], change: float = 0.0) -> str:
        """Write a passing frame under a new name; return its path. Of a long run ever fewer are kept."""
        path = self.add("step", ".jpg", data)
        self.frames.append(SavedFrame(path, iteration, size, change))
        if len(self.frames) > MOST_FRAMES:
            old, new = self.frames[:-IN_FLIGHT], self.frames[-IN_FLIGHT:]
            for frame in old[1::2]:
                self.discard(frame.path)
            self.frames = old[::2] + new
        return path

    def discard(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.files.grew(self, -Path(path).stat().st_size)
            Path(path).unlink()

    def kept(self) -> list[SavedFrame]:
        """Return all pictures that are there, the finished one last."""
        return [*self.frames, self.finished] if self.finished else [*self.frames]

    def shown(self) -> list[SavedFrame]:
        """Return those of a row under the canvas: as different from one another as they can be."""
        kept = self.kept()
        if len(kept) <= _IN_ROW:
            return kept
        begin, end = kept[0].change, kept[-1].change
        found: list[SavedFrame] = []
        for number in range(_IN_ROW):
            # So that as many stay as are still to be found.
            left = kept[len(found) and kept.index(found[-1]) + 1 : len(kept) - (_IN_ROW - 1 - number)]
            wanted = begin + (end - begin) * number / (_IN_ROW - 1)
            found.append(min(left, key=lambda each: abs(each.change - wanted)))
        return found


_Kind = TypeVar("_Kind", bound=Folder)


@dataclass(eq=False)
class Files:
    """The files of one host."""

    most: int = 2 * 2**30  # bytes that may be kept; the oldest of whoever has most go first
    seconds: float = KEPT_SECONDS  # for how long a thing is kept after it was last used
    gone: Callable[[Path], None] | None = None  # told of each folder that was removed
    folder: Path = field(default_factory=lambda: own_folder().path)
    _lock: threading.Lock = field(default_factory=threading.Lock)  # for sizes and holds
    _folders: dict[Path, Folder] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)

    # What comes in

    def add_upload(self, client: str, name: str | None, source: IO[bytes]) -> Path:
        """Keep an upload; return its path, with the suffix of its name, or raise OSError for no room."""
        suffix = Path(name or "").suffix.lower()
        folder = self._new(Folder, "upload", client, (name or "")[-120:])
        path = folder.path / (_ORIGINAL + (suffix if suffix in _SUFFIXES else ""))
        try:
            with path.open("xb") as file:
                shutil.copyfileobj(source, file, 2**20)
                size = file.tell()
        except BaseException:
            self.remove(folder)
            raise
        self.grew(folder, size)
        return path

    def add_preview(self, upload: Upload, data: bytes) -> str:
        """Write the JPEG that a page shows of an upload; return its path, or raise OSError for no room."""
        path = upload.path.parent
        return self._folders.get(path, Folder(self, path, "")).write(_PREVIEW, data)

    def new_run(self, client: str) -> RunFolder:
        return self._new(RunFolder, "run", client)

    @contextlib.contextmanager
    def coming(self, client: str) -> Iterator[Callable[[int], None]]:
        """Count bytes on their way in as kept: what is yielded is told of more; OSError for no room."""
        folder = Folder(self, Path(secrets.token_hex(16)), client, holds=1)  # it never exists
        self._folders[folder.path] = folder

        def more(size: int) -> None:
            self.grew(folder, size)
            if self.held_bytes() > self.most:
                raise OSError(errno.ENOSPC, "as much is on its way as may be kept")

        try:
            yield more
        finally:
            self._folders.pop(folder.path, None)

    def grew(self, folder: Folder, size: int) -> None:
        """Note bytes that came to lie in a folder; make room by what is oldest."""
        with self._lock:
            if self._folders.get(folder.path) is not folder:  # it is gone
                return
            folder.size += size
            folder.used = time.monotonic()
            going = self._too_much(folder)
        self.remove(*going)

    def adopt(self, uploads_of: Callable[[RunFolder], list[Path]]) -> None:
        """Take over the runs of hosts that were killed, with their uploads; remove all else of theirs.

        `uploads_of` returns the folders of a run's uploads, or raises InputError: nobody can ask for it.
        """
        orphans: dict[Path, Folder] = {}
        paths = own_folder().orphans
        while paths:  # which are this host's from now on
            path = paths.pop()
            kind = RunFolder if path.name.startswith("run-") else Folder
            orphans[path] = folder = kind(self, path, "")
            with contextlib.suppress(OSError):
                folder.used -= max(0.0, time.time() - path.stat().st_mtime)
                folder.size = sum(file.stat().st_size for file in path.iterdir())
        kept: dict[Path, Folder] = {}
        for run in orphans.values():
            if isinstance(run, RunFolder):
                with contextlib.suppress(InputError):
                    uploads = {path: orphans[path] for path in uploads_of(run) if path in orphans}
                    for upload in uploads.values():
                        upload.used = max(upload.used, run.used)  # they stay as long as it does
                    kept |= {run.path: run, **uploads}
        self._folders |= kept
        self.remove(*(folder for path, folder in orphans.items() if path not in kept))
        self.sweep()

    # What may be named

    def find(self, name: Any) -> Path | None:
        """Return the path of what was made here, which may be gone by now; None for any other name."""
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
        """Return a file that a visitor may name; raise InputError for anything else."""
        path = self.find(name)
        if path is None:
            raise InputError(f"{label} is not a file that was sent here; upload it first.")
        if path.name == _PREVIEW:
            path = next(path.parent.glob(f"{_ORIGINAL}*"), path)
        if (folder := self._folders.get(path.parent)) is None:
            return Upload(path)
        folder.used = time.monotonic()
        return Upload(path, folder.sender)

    @contextlib.contextmanager
    def held(self, paths: Iterable[Path]) -> Iterator[None]:
        """Keep folders for as long as the context lasts, however long somebody waits for a turn."""
        with self._lock:
            folders = [folder for path in paths if (folder := self._folders.get(path))]
            for folder in folders:
                folder.holds += 1
        try:
            yield
        finally:
            with self._lock:
                for folder in folders:
                    folder.holds -= 1
                    folder.used = time.monotonic()

    # What goes

    def start(self) -> None:
        """Sweep from now on by the clock, also while nobody comes."""
        threading.Thread(target=self._keep_sweeping, name="sweep", daemon=True).start()

    def close(self) -> None:
        self._stop.set()
        self.remove(*self._folders.copy().values())

    def sweep(self) -> None:
        oldest = time.monotonic() - self.seconds
        there = list(self._folders.values())
        self.remove(*(folder for folder in there if not folder.holds and folder.used < oldest))

    def remove(self, *folders: Folder) -> None:
        for folder in folders:
            shutil.rmtree(folder.path, ignore_errors=True)
            self._folders.pop(folder.path, None)
            if self.gone:
                self.gone(folder.path)

    def held_bytes(self) -> int:
        return sum(folder.size for folder in list(self._folders.values()))

    def _keep_sweeping(self) -> None:
        while not self._stop.wait(min(30.0, self.seconds / 4)):
            self.sweep()

    def _new(self, kind: type[_Kind], name: str, client: str, sender: str = "") -> _Kind:
        folder = kind(self, self.folder / f"{name}-{secrets.token_hex(16)}", client, sender)
        folder.path.mkdir(mode=0o700)
        self._folders[folder.path] = folder
        return folder

    def _too_much(self, grown: Folder) -> list[Folder]:
        """Return what has to go: an account's own oldest first, then the oldest of whoever has most."""
        there = list(self._folders.values())
        loose = sorted((one for one in there if not one.holds and one is not grown), key=lambda one: one.used)
        of = {one: [account for account, _ in accounts(one.client)] for one in there}
        going: list[Folder] = []

        def let_go(folder: Folder) -> None:
            going.append(folder)
            there.remove(folder)
            loose.remove(folder)

        for account, share in accounts(grown.client) if grown.client else ():  # the others share all of it
            own = [one for one in there if account in of[one]]
            size, runs = sum(one.size for one in own), sum(isinstance(one, RunFolder) for one in own)
            for one in [one for one in loose if account in of[one]]:
                is_run = isinstance(one, RunFolder)
                if size > self.most * share // _SHARE or (is_run and runs > RUNS_EACH * share):
                    let_go(one)
                    size, runs = size - one.size, runs - is_run
        while loose and sum(one.size for one in there) > self.most:
            shares: Counter[str] = Counter()
            for one in loose:
                shares[of[one][-1]] += one.size
            richest = max(shares, key=shares.__getitem__)
            let_go(next(one for one in loose if richest in of[one]))
        return going
