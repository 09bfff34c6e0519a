"""All that this host keeps on disk: uploads and runs, each with an owner, an age and a size."""

from __future__ import annotations

import contextlib
import errno
import logging
import re
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

from nst.errors import InputError
from nst.painters.accounts import accounts
from nst.runs.own_folder import own_folder

log = logging.getLogger(__name__)

KEPT_SECONDS = 3600.0
# What one account may have here, as a share of all that is kept, and how many runs.
_SHARE, RUNS_EACH = 8, 20
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what a disk without room left says
NO_ROOM = "This host has no room left to keep pictures; try again later."
MOST_FRAMES = 64  # of a run
_IN_FLIGHT = 8  # newest frames, which a browser may be about to fetch
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
        """What a page shows of it."""
        preview = self.path.with_name(_PREVIEW)
        return preview if preview.exists() else self.path

    def read(self, label: str) -> bytes:
        """Return its bytes.

        Raises:
            InputError: it is no longer here, or nothing that was ever sent.
        """
        with contextlib.suppress(OSError):
            # Neither waits for a pipe nor follows a link, should one ever come to lie there.
            if self.path.is_file() and not self.path.is_symlink():
                return self.path.read_bytes()
        raise InputError(f"{label} is no longer kept here; add it again.")


class Folder:
    """The folder of one upload or run.

    Its name cannot be guessed, so nobody reaches another visitor's pictures.

    Args:
        sender: what its sender calls an upload.
    """

    def __init__(self, files: Files, path: Path, client: str, sender: str = "") -> None:
        self.files, self.path, self.client, self.sender = files, path, client, sender
        self.used = time.monotonic()  # last
        self.size = 0  # bytes
        self.holds = 0  # how many wait for it or work with it

    def is_of(self, account: str) -> bool:
        """Return whether it is charged to an account."""
        return any(account == own for own, _ in accounts(self.client))

    def write(self, name: str, data: bytes) -> str:
        """Write a file that stays as long as the folder, whole or not at all; return its path."""
        path = self.path / name
        before = path.stat().st_size if path.exists() else 0
        part = path.with_name(f".{name}.part")
        try:
            part.write_bytes(data)
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        self.files.grew(self, len(data) - before)
        return str(path)


class SavedFrame(NamedTuple):
    """A picture of a run that is still there."""

    path: str
    iteration: int
    size: tuple[int, int]  # width and height of the canvas then; the file may be a preview of it
    change: float = 0.0  # how much has been seen to change up to here, from frame to frame, white being 1

    of_clip: bool = False  # a finished frame of a clip, whose number the iteration is

    @property
    def name(self) -> str:
        """What people read."""
        if self.of_clip:
            return f"Frame {self.iteration}"
        return f"Step {self.iteration}, {max(self.size)} px"


class RunFolder(Folder):
    """The folder of one run: its passing frames and what is finished."""

    def __init__(self, files: Files, path: Path, client: str) -> None:
        super().__init__(files, path, client)
        self.frames: list[SavedFrame] = []
        self.finished: SavedFrame | None = None  # of a clip an animated WebP, beside which lies an MP4
        # Of a clip: paths of what is shown of its frame in work, and of all before it.
        self.passing: list[str] = []
        self.so_far: list[str] = []
        self.before = ""  # path of the photo at the finished size
        self.film: tuple[list[SavedFrame], str, str] | None = None  # frames, paths of MP4 and WebP

    def add(self, kind: str, suffix: str, data: bytes) -> str:
        """Write a file that can be fetched; return its path, which tells nobody another one's."""
        return self.write(f"{kind}-{secrets.token_hex(8)}{suffix}", data)

    def add_frame(self, data: bytes, iteration: int, size: tuple[int, int], change: float = 0.0) -> str:
        """Write a passing frame under a new name; return its path. Of a long run ever fewer are kept."""
        path = self.add("step", ".jpg", data)
        self.frames.append(SavedFrame(path, iteration, size, change))
        if len(self.frames) > MOST_FRAMES:
            old, new = self.frames[:-_IN_FLIGHT], self.frames[-_IN_FLIGHT:]
            for frame in old[1::2]:
                self._discard(frame.path)
            self.frames = old[::2] + new
        return path

    def add_clip_frame(self, data: bytes, number: int, size: tuple[int, int]) -> str:
        """Write a finished frame of a clip, numbered from 1; return its path. All of them are kept."""
        path = self.add("frame", ".jpg", data)
        self.frames.append(SavedFrame(path, number, size, number, of_clip=True))
        return path

    def add_passing(self, data: bytes) -> str:
        """Write what is shown of a clip's frame in work; return its path. Only the newest are kept."""
        return self._newest(self.passing, self.add("passing", ".jpg", data))

    def add_so_far(self, webp: bytes) -> str:
        """Write what is finished of a clip; return its path. Only the newest are kept."""
        return self._newest(self.so_far, self.add("so-far", ".webp", webp))

    def _newest(self, paths: list[str], path: str) -> str:
        paths.append(path)
        if len(paths) > _IN_FLIGHT:
            self._discard(paths.pop(0))
        return path

    def take_over(self, frames: Iterable[SavedFrame]) -> None:
        """Begin with the frames of a clip that another run has painted.

        Raises:
            OSError: one of them is gone, or there is no room.
        """
        for frame in frames:
            self.add_clip_frame(Path(frame.path).read_bytes(), frame.iteration, frame.size)

    def finish_clip(self, webp: bytes, mp4: bytes, photo: bytes) -> str:
        """Write a painted clip, and as an animated WebP what it was painted from; return the WebP's path."""
        self.before = self.add("photo", ".webp", photo)
        path = self.add("painting", ".webp", webp)
        self.write(Path(path).with_suffix(".mp4").name, mp4)
        last = self.frames[-1]
        self.finished = SavedFrame(path, last.iteration, last.size, last.change, of_clip=True)
        return path

    def _discard(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.files.grew(self, -Path(path).stat().st_size)
            Path(path).unlink()

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
        self.folder, _, orphans = own_folder()
        self.most, self.seconds, self.gone = most, seconds, gone
        self._lock = threading.Lock()
        self._folders: dict[Path, Folder] = {}
        self._stop = threading.Event()
        while orphans:  # which are this host's from now on
            path = orphans.pop()
            folder = RunFolder(self, path, "") if path.name.startswith("run-") else Folder(self, path, "")
            with contextlib.suppress(OSError):
                folder.used -= max(0.0, time.time() - path.stat().st_mtime)
                folder.size = sum(file.stat().st_size for file in path.iterdir())
                self._folders[path] = folder
        self._orphans = list(self._folders.values())

    # What comes in

    def add_upload(self, client: str, name: str | None, source: IO[bytes]) -> Path:
        """Keep an upload under a name that nobody can guess; return its path.

        Args:
            name: its sender's; in the file's own only a suffix is left of it, if pictures have that.

        Raises:
            OSError: there is no room.
        """
        suffix = Path(name or "").suffix.lower()
        folder = Folder(self, self._new_path("upload"), client, (name or "")[-120:])
        path = folder.path / (_ORIGINAL + (suffix if suffix in _SUFFIXES else ""))
        self._add(folder)
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
        """Write what a page shows of an upload, a JPEG; return its path.

        Raises:
            OSError: the upload is gone, or there is no room.
        """
        path = upload.path.parent
        return self._folders.get(path, Folder(self, path, "")).write(_PREVIEW, data)

    def new_run(self, client: str) -> RunFolder:
        """Return an empty folder for a run."""
        folder = RunFolder(self, self._new_path("run"), client)
        self._add(folder)
        return folder

    @contextlib.contextmanager
    def coming(self, client: str) -> Iterator[Callable[[int], None]]:
        """Count bytes that are on their way in as kept, for as long as the context lasts.

        Yields:
            what is told how many more have come; raises OSError if there is no room for them.
        """
        folder = Folder(self, self._new_path("coming"), client)  # it never exists
        folder.holds = 1
        with self._lock:
            self._folders[folder.path] = folder

        def more(size: int) -> None:
            self.grew(folder, size)
            if self.held_bytes() > self.most:
                raise OSError(errno.ENOSPC, "as much is on its way as may be kept")

        try:
            yield more
        finally:
            with self._lock:
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

    # What a host that was killed has left

    def orphaned_runs(self) -> list[RunFolder]:
        """Return the folders of runs that were taken over."""
        return [folder for folder in self._orphans if isinstance(folder, RunFolder)]

    def keep_orphans(self, runs: Mapping[RunFolder, Collection[Path]]) -> None:
        """Remove what was taken over but for some runs.

        Args:
            runs: each with the folders of its uploads, which stay as long as it does.
        """
        kept: set[Folder] = set(runs)
        for run, paths in runs.items():
            uploads = [self._folders[path] for path in paths if path in self._folders]
            for upload in uploads:
                upload.used = max(upload.used, run.used)
            kept.update(uploads)
        self.remove(*(folder for folder in self._orphans if folder not in kept))
        self.sweep()

    # What may be named

    def find(self, name: Any) -> Path | None:
        """Return the path of what an upload, a run or the page made here; None for any other name.

        The file may be gone by now.
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
        """Remove everything."""
        self._stop.set()
        self.remove(*self._all())

    def sweep(self) -> None:
        """Remove what was last used too long ago."""
        oldest = time.monotonic() - self.seconds
        self.remove(*(folder for folder in self._all() if not folder.holds and folder.used < oldest))

    def remove(self, *folders: Folder) -> None:
        """Remove folders at once."""
        for folder in folders:
            shutil.rmtree(folder.path, ignore_errors=True)
            with self._lock:
                self._folders.pop(folder.path, None)
            if self.gone:
                self.gone(folder.path)

    def held_bytes(self) -> int:
        """Return how much is kept."""
        return sum(folder.size for folder in self._all())

    def _keep_sweeping(self) -> None:
        while not self._stop.wait(min(30.0, self.seconds / 4)):
            try:
                self.sweep()
            except Exception:
                log.exception("sweeping failed; it is tried again")

    def _all(self) -> list[Folder]:
        with self._lock:
            return list(self._folders.values())

    def _new_path(self, kind: str) -> Path:
        return self.folder / f"{kind}-{secrets.token_hex(16)}"

    def _add(self, folder: Folder) -> None:
        folder.path.mkdir(mode=0o700)
        with self._lock:
            self._folders[folder.path] = folder

    def _too_much(self, grown: Folder) -> list[Folder]:
        """Return what has to go: an account's own oldest first, then the oldest of whoever has most."""
        there = list(self._folders.values())
        loose = sorted((one for one in there if not one.holds and one is not grown), key=lambda one: one.used)
        going: list[Folder] = []
        for account, share in accounts(grown.client) if grown.client else ():  # the others share all of it
            own = [one for one in there if one.is_of(account) and one not in going]
            size, runs = sum(one.size for one in own), sum(isinstance(one, RunFolder) for one in own)
            for one in loose:
                is_run = isinstance(one, RunFolder)
                over = size > self.most * share // _SHARE or (is_run and runs > RUNS_EACH * share)
                if over and one.is_of(account):
                    going.append(one)
                    size, runs = size - one.size, runs - is_run
            loose = [one for one in loose if one not in going]
        size = sum(one.size for one in there) - sum(one.size for one in going)
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
