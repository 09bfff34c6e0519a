"""A file is written so that nothing is lost."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from nst.image import saving


@pytest.mark.parametrize(
    ("refused", "number", "found"),
    [
        ("mkstemp", errno.EACCES, b"after"),
        ("mkstemp", errno.EROFS, b"after"),
        ("mkstemp", errno.ENOSPC, b"before"),  # what was there is not given up for what may not fit
        ("replace", errno.EBUSY, b"after"),
        ("replace", errno.EIO, b"before"),
    ],
)
def test_where_nothing_new_can_be_made_the_file_itself_is_written(
    tmp_path, monkeypatch, refused, number, found
):
    path = tmp_path / "out.png"
    path.write_bytes(b"before")

    def refuse(*given, **more):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(saving.tempfile if refused == "mkstemp" else Path, refused, refuse)
    saving.check_writable(path)
    if found == b"after":
        saving.save(b"after", path)
    else:
        with pytest.raises(saving.NotSavedError):
            saving.save(b"after", path)
    assert path.read_bytes() == found
    assert [file.name for file in tmp_path.iterdir()] == ["out.png"]


def test_a_link_stays_a_link_and_a_mode_a_mode(tmp_path):
    real, link, fresh, beside = (tmp_path / name for name in ("real.png", "link.png", "fresh.png", "beside"))
    real.write_bytes(b"before")
    real.chmod(0o600)
    link.symlink_to(real)
    beside.touch()
    for path in (link, fresh):
        saving.save(b"after", path)
    assert link.is_symlink()
    assert real.read_bytes() == b"after"
    assert real.stat().st_mode & 0o777 == 0o600
    assert fresh.stat().st_mode == beside.stat().st_mode


def test_the_longest_name_that_is_legal(tmp_path):
    path = tmp_path / ("n" * 251 + ".png")
    saving.check_writable(path)
    saving.save(b"after", path)
    assert path.read_bytes() == b"after"
