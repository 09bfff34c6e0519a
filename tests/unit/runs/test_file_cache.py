"""What was read of a file is kept for as long as the file is, and no more than is allowed."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from nst.runs.file_cache import FileCache
from nst.runs.storage import Files


@pytest.fixture
def files():
    files = Files()
    yield files
    files.close()


def added(files: Files) -> Path:
    return files.add_upload("", "a.jpg", io.BytesIO(b"x"))


def test_it_is_kept_by_file_and_by_what_was_read(files):
    kept, one, other = FileCache(100), added(files), added(files)
    kept.put(one, "size", (3, 4), 10)
    assert kept.get(one, "size") == (3, 4)
    assert kept.get(one, "pixels") is None
    assert kept.get(other, "size") is None


def test_what_was_not_asked_for_longest_goes_first_and_nothing_drives_all_else_out(files):
    kept, (one, two, three) = FileCache(20), (added(files) for _ in range(3))
    kept.put(one, "pixels", 1, 10)
    kept.put(two, "pixels", 2, 10)
    kept.put(two, "pixels", 2, 10)  # by two who had it read at the same time
    assert kept.get(one, "pixels") == 1
    kept.put(three, "pixels", 3, 10)
    kept.put(three, "more", 4, 11)  # alone more than half
    assert [kept.get(each, "pixels") for each in (one, two, three)] == [1, None, 3]
    assert kept.get(three, "more") is None
    assert kept.nbytes == 20


def test_what_goes_from_the_disk_goes_from_the_memory():
    kept = FileCache(100)
    files = Files(gone=kept.forget)
    run, other = files.new_run(""), added(files)
    file = Path(run.add("painting", ".png", b"x"))
    kept.put(file, "pixels", 1, 10)
    kept.put(other, "pixels", 2, 10)
    files.remove(run)
    assert kept.nbytes == 10
    assert kept.get(file, "pixels") is None
    kept.put(file, "pixels", 1, 10)  # by somebody who was decoding it meanwhile
    assert kept.nbytes == 10
    files.close()
    assert kept.nbytes == 0
