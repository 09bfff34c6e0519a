"""This process's own folder in a cache that several hosts of the same user may share."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import shutil
import stat
import tempfile
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from nst.errors import InputError

_NAMED = "GRADIO_TEMP_DIR"  # the variable with the folder that Gradio keeps files in


class OwnFolder(NamedTuple):
    """A folder that this process holds locked for as long as it lives."""

    path: Path
    lock: FileLock
    orphans: list[Path]  # folders of uploads and runs of hosts that were killed


@functools.cache
def own_folder() -> OwnFolder:
    """Return this process's own folder in the cache, which from now on is Gradio's cache.

    Several hosts may share a cache: each has a folder that it holds locked. What hosts that were killed have
    left comes into this process's own. What another user could have put there is left alone.
    Raises InputError for a cache that cannot be written, or is another user's.
    """
    cache = _cache()
    try:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.environ.get(_NAMED) and not _is_own(cache):
            raise InputError(f"The folder {cache} is not yours alone; name another in {_NAMED}.")
        folder = cache / f"host-{secrets.token_hex(8)}"
        folder.mkdir(mode=0o700)
        (lock := FileLock(folder / "lock")).acquire()
        orphans = []
        for dead in cache.glob("host-*"):
            if others_lock := _lock_of_dead(dead):
                left = [*dead.glob("run-*"), *dead.glob("upload-*")]
                orphans += [path.rename(folder / path.name) for path in left]
                shutil.rmtree(dead, ignore_errors=True)
                others_lock.release()
    except OSError as error:
        raise InputError(
            f"The folder for pictures cannot be written ({error.strerror}); name another in {_NAMED}."
        ) from error
    os.environ[_NAMED] = str(folder)
    return OwnFolder(folder, lock, orphans)


def _lock_of_dead(folder: Path) -> FileLock | None:
    """Return the lock of a folder, held from now on, if the host that it belonged to is dead."""
    with contextlib.suppress(OSError):  # such as that its host lives
        if _is_own(folder) and (path := folder / "lock").exists():  # a host that begins may have none yet
            (lock := FileLock(path)).acquire(timeout=0)
            return lock
    return None


def _cache() -> Path:
    """Return the folder that was named, or one of this user's own: the system's is everybody's."""
    if named := os.environ.get(_NAMED):
        return Path(named).resolve()
    number = os.getuid() if hasattr(os, "getuid") else ""
    return Path(tempfile.gettempdir()).resolve() / f"nst-{number}"


def _is_own(path: Path) -> bool:
    """Return whether what lies there is a folder into which nobody but this user can put anything."""
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        return False
    return not hasattr(os, "getuid") or (found.st_uid == os.getuid() and not found.st_mode & 0o077)


def remove_own_folder() -> None:
    """Leave nothing behind when the process ends."""
    if own_folder.cache_info().currsize:
        shutil.rmtree(own_folder().path, ignore_errors=True)
