"""What goes wrong around the app, caused on purpose; it goes on, or says what is the matter."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time

import pytest
from app_process import UNHURRIED, begin, paint, running
from conftest import ROOT
from gradio_client import Client
from gradio_client.exceptions import AppError
from strangers import Stranger, files_below
from waiting import eventually

from nst.runs.storage import NO_ROOM

NOWHERE = "/proc/nowhere"  # not even root can make a folder there


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    """An app on the files of one that was killed while it painted."""
    folder = tmp_path_factory.mktemp("app")
    with running(folder=folder, script=UNHURRIED) as app:
        begin(app)
    assert list(app.folder.rglob("run-*"))
    with running(folder=folder, script=UNHURRIED) as app:
        yield app


def test_killed_while_it_paints_it_starts_again_clean(again):
    assert again.counts() == (0, 0)
    # What the dead one left is gone, photos of visitors among it.
    assert not list(again.folder.rglob("run-*"))
    assert not list(again.folder.rglob("upload-*"))


def alive(group: int) -> bool:
    """Return whether a process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_end_is_asked_for_and_comes_within_seconds(again):
    begin(again)
    assert again.end() < 9  # a container waits for ten
    assert again.process.returncode == 0
    assert "Traceback" not in again.log.read_text()
    assert files_below(again.folder) == []  # no photo of a visitor's either
    # Nor, a moment later, a process that it has started.
    eventually(lambda: not alive(again.process.pid))


def test_killed_while_it_saves_the_picture_of_before_is_whole(tmp_path):
    path, most = tmp_path / "picture.png", 8_000_000
    saving = """
import sys
from pathlib import Path
from nst.image.saving import save
while True:
    for letter in (b"a", b"b"):
        save(letter * int(sys.argv[2]), Path(sys.argv[1]))
"""
    for wait in (0.05, 0.06):  # somewhere in the midst of one of many
        path.unlink(missing_ok=True)
        with subprocess.Popen([sys.executable, "-c", saving, str(path), str(most)], cwd=ROOT) as process:
            eventually(path.exists)
            time.sleep(wait)
            process.kill()
        assert path.read_bytes() in (b"a" * most, b"b" * most)


@pytest.fixture(scope="module")
def app():
    """An app without home, cache, network or a relay for a public link."""
    nobody = "http://127.0.0.1:9"
    with running(
        "--share",
        HTTPS_PROXY=nobody,
        HTTP_PROXY=nobody,
        NO_PROXY="127.0.0.1,localhost",
        **dict.fromkeys(("HOME", "HF_HOME", "TORCH_HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR"), NOWHERE),
    ) as app:
        yield app


def test_every_run_leaves_one_line_in_the_log(app):
    client = Client(app.url, verbose=False)
    paint(client, style_weight=7.5).result(timeout=60)
    with pytest.raises(AppError):
        paint(client, style_weight=7.5, size=64, blend_1=0).result(timeout=60)
    begin(app).cancel()
    eventually(lambda: app.log.read_text().count("nst.runs: ") == 3, app.log.read_text)
    text = app.log.read_text()
    lines = [json.loads(line.split("nst.runs: ")[1]) for line in text.splitlines() if "nst.runs: " in line]
    assert [line["outcome"] for line in lines] == ["finished", "refused", "left"]
    assert lines[0]["settings"] == {"style_weight": 7.5, "iterations": 40, "size": 128}
    assert lines[0]["size"] == "128x85"
    assert lines[0]["optimising"] <= lines[0]["painting"] <= lines[0]["seconds"]
    for told in ("127.0.0.1", "rocket", "marbling"):
        assert told not in "".join(line for line in text.splitlines() if "nst.runs" in line)


def test_without_home_network_or_cache_it_paints_all_the_same(app):
    client = Client(app.url, verbose=False)
    assert paint(client, size=64, iterations=10).result(timeout=60)
    assert paint(client, size=64, iterations=10, encoder="vgg19").result(timeout=60)


def test_a_public_link_that_cannot_be_had_is_said(app):
    eventually(lambda: "There is no public link" in app.log.read_text(), app.log.read_text)
    assert f"up at http://127.0.0.1:{app.port}" in app.log.read_text()


def test_a_full_disk_is_said_and_forgotten(app, photo, painting):
    client = Client(app.url, verbose=False)
    assert paint(client, photo, painting, size=64, iterations=10).result(timeout=60)
    # From now on no file of more than 60 kB can be written, as on a disk with that much left.
    resource.prlimit(app.process.pid, resource.RLIMIT_FSIZE, (60_000, 60_000))
    with pytest.raises(AppError, match="no room left to keep pictures"):
        paint(client, photo, painting, size=256, initial="noise", iterations=10).result(timeout=60)
    assert paint(client, photo, painting, size=64, iterations=10).result(timeout=60)
    somebody = Stranger(app.url, "")
    status, answer = somebody.upload(bytes(2_000_000))
    assert (status, answer["detail"]) == (507, NO_ROOM)
    assert somebody.upload(bytes(20_000))[0] == 200
    assert app.counts() == (0, 0)
