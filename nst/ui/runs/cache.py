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

    Several hosts may share a cache: each has a folder that it holds locked. What is left of hosts that are
    gone, however they ended, is removed here.

    Raises:
        InputError: the cache cannot be written.
    """
    cache = Path(get_upload_folder()).resolve()
    folder = cache / f"host-{secrets.token_hex(8)}"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        for other in cache.glob("host-*"):
            _remove_if_left(other)
        folder.mkdir(mode=0o700)
        lock = (folder / "lock").open("w")
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError as error:
        raise InputError(
            f"The folder for pictures cannot be written ({error.strerror}); name another in GRADIO_TEMP_DIR."
        ) from error
    _locks.append(lock)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    return folder


_locks: list[IO[str]] = []  # held for as long as the process lives


def _remove_if_left(folder: Path) -> None:
    with contextlib.suppress(OSError):
        if time.time() - folder.stat().st_mtime < _YOUNG and not (folder / "lock").exists():
            return
        with (folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises while its host lives
            shutil.rmtree(folder, ignore_errors=True)


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
