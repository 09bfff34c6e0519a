"""Whose files are kept, for how long, and what is kept of what was read of them."""

import io
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import eventually

from nst import InputError
from nst.runs import own_folder as module
from nst.runs.decoder import Decoder
from nst.runs.own_folder import OwnFolder, own_folder
from nst.runs.storage import MOST_FRAMES, Files, Upload

KB = 1024


def add(files: Files, visitor: str = "a", size: int = 10, name: str = "photo.jpg"):
    return files.add_upload(visitor, name, io.BytesIO(b"x" * size))


def test_what_is_no_plain_file_is_not_read(tmp_path):
    files = Files()
    folder = add(files).parent
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"secret")
    (folder / "link.jpg").symlink_to(secret)
    os.mkfifo(folder / "pipe.jpg")
    for name in ("link.jpg", "pipe.jpg", "gone.jpg"):
        with pytest.raises(InputError, match="The photo is no longer kept here; add it again"):
            Upload(folder / name).read("The photo")


@pytest.mark.parametrize(
    ("name", "kept"), [("../../etc/passwd", "original"), ("é" * 200 + " at 9.41\u202fPM.PNG", "original.png")]
)
def test_an_upload_is_found_whatever_its_sender_calls_it(name, kept):
    files = Files()
    path = add(files, name=name)
    assert path.name == kept
    sent = files.sent(str(path), "The photo")
    assert sent.read("The photo") == b"x" * 10
    assert files.sent(files.add_preview(sent, b"seen"), "The photo") == sent


def test_what_nobody_uses_goes_by_the_clock_while_nobody_comes():
    files = Files(seconds=0.4)
    files.start()
    path, run = add(files), files.new_run("a")
    with files.held([path.parent]):
        eventually(lambda: not run.path.exists())
        time.sleep(0.5)
        assert path.exists()  # somebody waits with it for a turn
    eventually(lambda: not path.parent.exists())
    files.close()


def test_a_visitor_who_wants_more_loses_his_own_oldest_that_nobody_waits_with():
    files = Files(most=800 * KB)
    others, first = add(files, "b", 60 * KB), add(files, "a", 10 * KB)
    with files.held([first.parent]):
        mine = [add(files, "a", 40 * KB) for _ in range(6)]
    assert [path.exists() for path in mine] == [False] * 4 + [True] * 2  # an eighth of all is 100 KB
    theirs, runs = files.new_run("b"), []
    for _ in range(40):  # of no bytes to speak of
        runs.append(files.new_run("a"))
        runs[-1].add("painting", ".png", b"x")
    assert sum(run.path.exists() for run in runs) <= 21
    assert [path.exists() for path in (others, first, theirs.path)] == [True] * 3


def test_when_all_is_full_whoever_has_most_loses_first_be_it_the_networks_of_a_larger_one():
    files = Files(most=800 * KB)
    photo = add(files, "8.8.8.8/32", 60 * KB)
    for number in range(241):
        add(files, f"2a00:1:2:{number:x}::/64", 60 * KB)
    assert files.held_bytes() <= 470 * KB  # four shares of an eighth, and the photo
    crowd = [add(files, "", 90 * KB) for _ in range(12)]  # those who cannot be told apart
    assert files.held_bytes() <= 800 * KB
    assert [path.exists() for path in (photo, crowd[0], crowd[-1])] == [True, False, True]


@pytest.fixture
def begun(tmp_path, monkeypatch) -> Callable[[], OwnFolder]:
    """What returns the folder of a process that has just begun."""

    def begun() -> OwnFolder:
        monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
        return own_folder.__wrapped__()

    return begun


def test_hosts_leave_each_other_alone_and_what_a_dead_one_has_left_is_taken_over(begun):
    first = begun()
    files = Files(folder=first.path)
    mine, run = add(files), files.new_run("a")
    second = begun()
    assert (second.path.parent, second.orphans) == (first.path.parent, [])
    assert mine.exists()
    first.lock.release()  # as the system does for a process that is killed
    third = begun()
    assert sorted(path.name for path in third.orphans) == sorted([run.path.name, mine.parent.name])
    assert Files(folder=third.path).find(str(mine)).read_bytes() == b"x" * 10  # by its old name
    assert not first.path.exists()
    assert (second.path / "lock").exists()


def test_a_folder_that_another_user_has_prepared_is_left_alone(begun, tmp_path, monkeypatch):
    planted = tmp_path / "host-0123456789abcdef"
    run = planted / f"run-{'0' * 32}"
    run.mkdir(parents=True)
    (run / ".run.json").symlink_to("/etc/passwd")
    (planted / "lock").touch()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (tmp_path / "host-fedcba9876543210").symlink_to(elsewhere)
    planted.chmod(0o777)  # as one that somebody else can write; one of another owner needs another user here
    own = begun()
    assert own.path.stat().st_mode & 0o077 == 0
    assert run.exists()
    assert own.orphans == []
    planted.chmod(0o700)
    owner = os.getuid()
    monkeypatch.setattr(module.os, "getuid", lambda: owner + 1)
    assert module._lock_of_dead(planted) is None


def test_by_default_the_cache_is_this_users_and_one_that_cannot_be_used_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", "/proc/nowhere")
    with pytest.raises(InputError, match=r"cannot be written .*; name another in GRADIO_TEMP_DIR"):
        own_folder.__wrapped__()
    monkeypatch.delenv("GRADIO_TEMP_DIR")
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: str(tmp_path))
    prepared = tmp_path / f"nst-{os.getuid()}"
    prepared.mkdir()
    prepared.chmod(0o777)
    with pytest.raises(InputError, match="is not yours alone; name another in GRADIO_TEMP_DIR"):
        own_folder.__wrapped__()
    prepared.rmdir()
    assert own_folder.__wrapped__().path.parent == prepared
    assert prepared.stat().st_mode & 0o777 == 0o700


def test_of_a_long_run_ever_fewer_frames_are_kept():
    folder = Files().new_run("")
    for iteration in range(1, 1000):
        newest = folder.add_frame(b"x", iteration, (64, 64))
        assert re.search(r"/step-[0-9a-f]{16}\.jpg$", newest)  # which tells nobody another one's name
        assert Path(newest).exists()
    assert {str(path) for path in folder.path.iterdir()} == {frame.path for frame in folder.frames}
    assert MOST_FRAMES / 2 <= len(folder.frames) <= MOST_FRAMES
    first, *between = (frame.iteration for frame in folder.frames)
    assert first == 1
    assert between == sorted(between)
    assert between[-8:] == list(range(992, 1000))


def test_the_row_under_the_canvas_shows_what_differs():
    def shown(changes: list[float]) -> list[int]:
        folder = Files().new_run("")
        for iteration, change in enumerate(changes):
            folder.add_frame(b"x", iteration, (64, 64), change)
        return [frame.iteration for frame in folder.shown()]

    # Half of all that happens, in the last four.
    many = shown([*(number * 0.1 for number in range(36)), 4.0, 5.0, 6.0, 7.0])
    assert many == sorted(set(many))
    assert (len(many), many[0], many[-4:]) == (12, 0, [36, 37, 38, 39])
    assert shown([0.0] * 7) == list(range(7))
    assert len(shown([0.0] * 30)) == 12  # though nothing has changed at all


def test_what_was_read_of_files_goes_with_them_and_the_longest_unused_first():
    decoder = Decoder()
    decoder.cache.most = 20
    files = Files(gone=decoder.forget)
    runs = [files.new_run("") for _ in range(3)]
    one, two, three = (Path(run.add("painting", ".png", b"x")) for run in runs)
    decoder.keep(one, "pixels", 1, 10)
    for _ in range(2):  # by two who had it read at the same time
        decoder.keep(two, "pixels", 2, 10)
    assert decoder.cache.get((one, "pixels")) == 1
    decoder.keep(three, "pixels", 3, 10)
    decoder.keep(three, "more", 4, 11)  # alone more than half
    assert [decoder.cache.get((file, "pixels")) for file in (one, two, three)] == [1, None, 3]
    assert (decoder.cache.get((three, "more")), decoder.cache.nbytes) == (None, 20)
    files.remove(runs[0])
    decoder.keep(one, "size", 1, 10)  # by somebody who was decoding it meanwhile
    assert (decoder.cache.get((one, "pixels")), decoder.cache.nbytes) == (None, 10)
