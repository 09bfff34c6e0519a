"""What was read of a file is kept for as long as the file is, and no more than is allowed."""

from __future__ import annotations

from pathlib import Path

from nst.runs.decoder import FileCache
from nst.runs.storage import Files


def test_what_was_not_asked_for_longest_goes_first_and_nothing_drives_all_else_out(tmp_path):
    kept, (one, two, three) = FileCache(20), (tmp_path / name for name in "abc")
    for file in (one, two, three):
        file.touch()
    kept.put(one, "pixels", 1, 10)
    kept.put(two, "pixels", 2, 10)
    kept.put(two, "pixels", 2, 10)  # by two who had it read at the same time
    assert kept.get(one, "pixels") == 1
    assert kept.get(one, "size") is None
    kept.put(three, "pixels", 3, 10)
    kept.put(three, "more", 4, 11)  # alone more than half
    assert [kept.get(each, "pixels") for each in (one, two, three)] == [1, None, 3]
    assert kept.get(three, "more") is None
    assert kept.nbytes == 20


def test_what_goes_from_the_disk_goes_from_the_memory():
    kept = FileCache(100)
    files = Files(gone=kept.forget)
    runs = [files.new_run("") for _ in range(2)]
    first, second = (Path(run.add("painting", ".png", b"x")) for run in runs)
    kept.put(first, "pixels", 1, 10)
    kept.put(second, "pixels", 2, 10)
    files.remove(runs[0])
    assert kept.get(first, "pixels") is None
    kept.put(first, "pixels", 1, 10)  # by somebody who was decoding it meanwhile
    assert kept.nbytes == 10
    files.close()
    assert kept.nbytes == 0
