"""A file is written so that nothing is lost."""

import contextlib
import errno
import os
from pathlib import Path

import pytest

from nst.image import saving


@pytest.mark.parametrize(
    ("place", "refused", "number", "is_written"),
    [
        (saving.tempfile, "mkstemp", errno.EACCES, True),
        # What was there is not given up for what may not fit.
        (saving.tempfile, "mkstemp", errno.ENOSPC, False),
        (Path, "replace", errno.EBUSY, True),
        (Path, "replace", errno.EIO, False),
    ],
)
def test_a_file_is_overwritten_but_not_lost(tmp_path, monkeypatch, place, refused, number, is_written):
    def refuse(*given, **more):
        raise OSError(number, os.strerror(number))

    path = tmp_path / "out.png"
    path.write_bytes(b"before")
    monkeypatch.setattr(place, refused, refuse)
    saving.check_writable(path)
    with contextlib.nullcontext() if is_written else pytest.raises(saving.NotSavedError):
        saving.save(b"after", path)
    assert path.read_bytes() == (b"after" if is_written else b"before")
    assert [file.name for file in tmp_path.iterdir()] == ["out.png"]


def test_a_link_stays_a_link_and_a_mode_a_mode_whatever_the_name(tmp_path):
    real, link, beside, fresh = (tmp_path / name for name in ("real", "link", "beside", "n" * 255))
    real.write_bytes(b"before")
    real.chmod(0o600)
    link.symlink_to(real)
    beside.touch()
    for path in (link, fresh):
        saving.check_writable(path)
        saving.save(b"after", path)
        assert path.read_bytes() == b"after"
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o600
    assert fresh.stat().st_mode == beside.stat().st_mode
