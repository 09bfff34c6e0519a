"""This process's own folder in Gradio's cache, which several hosts may share."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import secrets
import shutil
import tempfile
import time
from pathlib import Path
from typing import IO

from gradio.utils import get_upload_folder

from nst.errors import InputError

_YOUNG = 60.0  # seconds in which a host that has just started may not have locked its folder yet


@functools.cache
def own_folder() -> Path:
    """Return this process's own folder in Gradio's cache, which from now on is Gradio's cache.

    Several hosts may share a cache: each has a folder that it holds locked. Those of hosts that were killed
    are taken over: one becomes this process's own, so that what pages still name stays where it was, and
    what there is in the others is moved into it.

    Raises:
        InputError: the cache cannot be written.
    """
    cache = Path(get_upload_folder()).resolve()
    try:
        cache.mkdir(parents=True, exist_ok=True)
        dead = [(folder, lock) for folder in cache.glob("host-*") if (lock := _lock_of_dead(folder))]
        dead.sort(key=lambda pair: pair[0].stat().st_mtime)
        if dead:
            folder, lock = dead.pop()
        else:
            folder = cache / f"host-{secrets.token_hex(8)}"
            folder.mkdir(mode=0o700)
            lock = (folder / "lock").open("w")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for other, others_lock in dead:
            for left in _left_in(other):
                left.rename(folder / left.name)
            shutil.rmtree(other, ignore_errors=True)
            others_lock.close()
        _left.extend(_left_in(folder))
    except OSError as error:
        raise InputError(
            f"The folder for pictures cannot be written ({error.strerror}); name another in GRADIO_TEMP_DIR."
        ) from error
    _locks.append(lock)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    return folder


_locks: list[IO[str]] = []  # held for as long as the process lives
_left: list[Path] = []  # folders of uploads and runs of hosts that were killed


def left_behind() -> list[Path]:
    """Return the folders of uploads and runs that were taken over, to whoever asks first."""
    own_folder()
    taken = _left.copy()
    _left.clear()
    return taken


def _left_in(folder: Path) -> list[Path]:
    return [*folder.glob("run-*"), *folder.glob("upload-*")]


def _lock_of_dead(folder: Path) -> IO[str] | None:
    """Return the lock of a folder, held from now on, if the host that it belonged to is dead."""
    with contextlib.suppress(OSError):
        if time.time() - folder.stat().st_mtime < _YOUNG and not (folder / "lock").exists():
            return None
        lock = (folder / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises while its host lives
            return lock
        except OSError:
            lock.close()
    return None


def remove_own_folder() -> None:
    """Leave nothing behind when the process ends."""
    if own_folder.cache_info().currsize:
        shutil.rmtree(own_folder(), ignore_errors=True)


def disk_for_pictures() -> int:
    """Return the bytes that may be kept where nobody has said: two gigabytes, or half of what is free."""
    try:
        free = shutil.disk_usage(Path(get_upload_folder()).parent).free
    except OSError:
        free = shutil.disk_usage(tempfile.gettempdir()).free
    return min(2 * 2**30, free // 2)
