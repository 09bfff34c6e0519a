"""Whose files are kept, for how long, and which can be named."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT, eventually

from nst import InputError
from nst.runs import own_folder as module
from nst.runs.own_folder import own_folder
from nst.runs.storage import Files, Upload

KB = 1024


def add(files: Files, visitor: str = "a", size: int = 10, name: str = "photo.jpg"):
    return files.add_upload(visitor, name, io.BytesIO(b"x" * size))


def test_only_what_was_sent_or_made_here_can_be_named(tmp_path):
    files = Files()
    path = add(files)
    assert files.find(str(path)) == path
    run = files.new_run("a")
    assert files.find(run.add("painting", ".png", b"x"))
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"secret")
    for name in (
        *(None, 7, "", ".", "/", "/etc/passwd", "/proc/self/fd/3", "/dev/ptmx", str(secret)),
        str(files.folder),
        str(path.parent),
        str(files.folder / "lock"),
        str(files.folder / "tmpabc123"),  # an upload of somebody else's on its way
        str(path.parent / ".." / path.parent.name / path.name),
        str(path.parent / "../../secret"),
        str(path.parent / ".hidden"),
        str(path) + "\0",
        str(path) + "\n",
        str(path.parent / ("n" * 700)),
        os.path.relpath(path),
        path.as_uri(),
    ):
        assert files.find(name) is None, name
        with pytest.raises(InputError, match="is not a file that was sent here; upload it first"):
            files.sent(name, "The photo")


def test_what_is_no_plain_file_is_not_read(tmp_path):
    files = Files()
    folder = add(files).parent
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"secret")
    (folder / "link.jpg").symlink_to(secret)
    os.mkfifo(folder / "pipe.jpg")
    (folder / "folder.jpg").mkdir()
    for name in ("link.jpg", "pipe.jpg", "folder.jpg", "gone.jpg"):
        with pytest.raises(InputError, match="The photo is no longer kept here; add it again"):
            Upload(folder / name).read("The photo")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "original"),
        ("..\\..\\boot.ini", "original"),
        ("a\nb\0c.jpg", "original.jpg"),
        ("", "original"),
        (None, "original"),
        ("é" * 200 + ".jpg", "original.jpg"),
        # macOS's screenshots, Persian, an emoji of several characters.
        ("Screenshot 2026-11-30 at 9.41.00\u202fPM.PNG", "original.png"),
        ("\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.webp", "original.webp"),
        ("\U0001f468\u200d\U0001f467.heic", "original.heic"),
        ("page.html", "original"),
        ("shown.jpg", "original.jpg"),
    ],
)
def test_an_upload_is_found_whatever_its_sender_calls_it(name, kept):
    files = Files()
    path = add(files, name=name)
    assert path.name == kept
    sent = files.sent(str(path), "The photo")
    assert sent.read("The photo") == b"x" * 10
    assert files.sent(files.add_preview(sent, b"seen"), "The photo") == sent


def test_the_name_of_one_file_of_a_run_tells_nobody_another_one():
    run = Files().new_run("a")
    for kind, suffix in (("step", ".jpg"), ("painting", ".png"), ("photo", ".jpg")):
        assert re.search(rf"/{kind}-[0-9a-f]{{16}}\{suffix}$", run.add(kind, suffix, b"x"))


def test_what_nobody_uses_goes_by_the_clock_while_nobody_comes_also_after_a_fault():
    faults = [RuntimeError("nobody foresaw this")]

    def gone(path: Path) -> None:
        if faults:
            raise faults.pop()

    files = Files(seconds=0.4, gone=gone)
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
    assert others.exists()
    assert first.exists()


def test_many_small_runs_push_out_nobody_elses():
    files = Files()
    theirs = files.new_run("b")
    theirs.add("painting", ".png", b"x")
    mine = []
    for _ in range(40):
        mine.append(files.new_run("a"))
        mine[-1].add("painting", ".png", b"x")
    assert theirs.path.exists()
    assert sum(run.path.exists() for run in mine) <= 21


def test_the_networks_of_a_larger_one_push_out_nobody_else():
    files = Files(most=800 * KB)
    photo, painting = add(files, "8.8.8.8/32", 30 * KB), add(files, "8.8.8.8/32", 30 * KB)
    for number in range(241):
        add(files, f"2a00:1:2:{number:x}::/64", 60 * KB)
    assert photo.exists()
    assert painting.exists()
    assert files.held_bytes() <= 470 * KB  # four shares of an eighth, and what others have


def test_what_is_on_its_way_is_kept_already():
    files = Files(most=800 * KB)
    old = add(files, "a", 60 * KB)
    with files.coming("b") as came:
        came(400 * KB)
        assert files.held_bytes() == 460 * KB
        assert old.exists()
        with files.coming("c") as others:
            with pytest.raises(OSError, match="as much is on its way as may be kept"):
                for _ in range(8):
                    others(60 * KB)
            assert not old.exists()  # which was loose
    assert files.held_bytes() == 0


def test_when_all_is_full_whoever_has_most_loses_first():
    files = Files(most=800 * KB)
    small = add(files, "small", 20 * KB)
    crowd = [add(files, "", 90 * KB) for _ in range(12)]  # those who cannot be told apart
    assert small.exists()
    assert files.held_bytes() <= 800 * KB
    assert crowd[-1].exists()
    assert not crowd[0].exists()


def test_a_disk_that_fills_up_leaves_nothing_half():
    class Breaks(io.BytesIO):
        def read(self, *_):
            raise OSError(28, "No space left on device")

    files = Files()
    before = set(files.folder.iterdir())
    with pytest.raises(OSError, match="No space"):
        files.add_upload("a", "photo.jpg", Breaks())
    assert set(files.folder.iterdir()) == before


SCRIPT = """
import sys
from nst.runs.own_folder import own_folder
upload = own_folder().path / ("upload-" + 32 * "0") / "original.jpg"
upload.parent.mkdir()
upload.touch()
print(upload, flush=True)
sys.stdin.read()
"""


def test_two_hosts_on_one_cache_leave_each_other_alone_and_clear_up_after_the_dead(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    held = own_folder.__wrapped__()  # as if this process had just begun
    mine = held.path
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={**os.environ, "GRADIO_TEMP_DIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        try:
            theirs = Path(other.stdout.readline().strip())
        finally:
            other.kill()
    assert theirs.parents[2] == mine.parent
    assert theirs.parents[1] != mine
    assert (mine / "lock").exists()
    assert not Files().find(str(theirs)).exists()
    assert theirs.exists()  # nobody has come to clear up
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    again = own_folder.__wrapped__()  # which holds another lock
    # What the dead one has left is taken over, until it is known whether anybody may ask for it.
    taken = again.path / theirs.relative_to(theirs.parents[1])
    assert taken.exists()
    assert (mine / "lock").exists()
    monkeypatch.setattr("nst.runs.storage.own_folder", lambda: again)
    files = Files()
    files.adopt(lambda run: [])
    assert not taken.parent.exists()
    files.close()


def test_a_folder_that_another_user_has_prepared_is_left_alone(tmp_path, monkeypatch):
    planted = tmp_path / "host-0123456789abcdef"
    run = planted / f"run-{'0' * 32}"
    run.mkdir(parents=True)
    (run / ".run.json").symlink_to("/etc/passwd")
    (planted / "lock").touch()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (tmp_path / "host-fedcba9876543210").symlink_to(elsewhere)
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    planted.chmod(0o777)  # as one that somebody else can write; one of another owner needs another user here
    own = own_folder.__wrapped__()
    assert own.path not in (planted, elsewhere)
    assert own.path.stat().st_mode & 0o077 == 0
    assert run.exists()
    assert own.orphans == []
    planted.chmod(0o700)
    owner = os.getuid()
    monkeypatch.setattr(module.os, "getuid", lambda: owner + 1)
    assert module._lock_of_dead(planted) is None


def test_by_default_the_cache_is_a_folder_of_this_user(tmp_path, monkeypatch):
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


def test_a_cache_that_cannot_be_written_is_a_sentence(monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", "/proc/nowhere")
    with pytest.raises(InputError, match=r"cannot be written .*; name another in GRADIO_TEMP_DIR"):
        own_folder.__wrapped__()
