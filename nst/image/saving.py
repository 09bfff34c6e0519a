"""Writing a file without losing what was there before or what was made."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path

# Errors of a folder in which no file can be created, though one in it may be written to.
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
# Of the name of an unfinished file.
_PREFIX, _SUFFIX = ".", ".part"


class NotSavedError(OSError):
    """A file could not be written where it was wanted.

    Args:
        path: where that was.
        error: the system's error.
        instead: where it is now, None if it could not be written anywhere.
    """

    def __init__(self, path: Path, error: OSError, instead: Path | None) -> None:
        super().__init__(error.errno, error.strerror or str(error))
        self.path, self.instead = path, instead


def save(data: bytes, path: Path) -> None:
    """Write a file; one of this name is always whole, keeps its mode, and a link stays a link.

    Raises:
        NotSavedError: it cannot be written there; then it was tried in the system's temporary folder.
    """
    try:
        _write(data, path)
    except OSError as error:
        instead = None
        with contextlib.suppress(OSError):
            elsewhere = Path(tempfile.mkdtemp(prefix="nst-")) / path.name
            _write(data, elsewhere)
            instead = elsewhere
        raise NotSavedError(path, error, instead) from error


def check_writable(path: Path) -> None:
    """Check before minutes of painting that the picture can be saved.

    Raises:
        NotSavedError: it may not be written to, or it is not there and none can be made beside it.
    """
    target = path.resolve()
    try:
        if target.exists():
            with target.open("ab"):
                return
        with tempfile.TemporaryFile(dir=target.parent):
            pass
    except OSError as error:
        raise NotSavedError(path, error, None) from error


def _write(data: bytes, path: Path) -> None:
    target = path.resolve()  # through a link, to what it stands for
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
    try:
        number, name = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX, dir=target.parent)
    except OSError as error:
        if error.errno not in _FORBIDDEN or not target.exists():
            raise
        target.write_bytes(data)
        return
    part = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
        part.chmod(mode)
        try:
            part.replace(target)
        except OSError as error:
            if error.errno != errno.EBUSY:  # as of a file that is mounted by itself
                raise
            target.write_bytes(data)
            part.unlink()
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _umask() -> int:
    # It can be read only by setting it.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
