"""What goes wrong around the app, caused on purpose; it goes on, or says what is the matter."""

from __future__ import annotations

import http.client
import json
import os
import resource
import signal
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from gradio_client import Client
from gradio_client.exceptions import AppError
from load import UNHURRIED, App, paint, running
from strangers import files_below

from nst.runs.storage import NO_ROOM

NOWHERE = "/proc/nowhere"  # not even root can make a folder there


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    """An app on the files of one that was killed while it painted."""
    folder = tmp_path_factory.mktemp("app")
    app = App(folder, UNHURRIED)
    try:
        app.wait()
        job = paint(Client(app.url, verbose=False), iterations=1000)
        while not job.outputs():
            time.sleep(0.05)
    finally:
        app.kill()
    assert list(app.folder.rglob("run-*"))
    app = App(folder, UNHURRIED)
    try:
        app.wait()
        yield app
    finally:
        app.kill()


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
    job = paint(Client(again.url, verbose=False), iterations=1000)
    while not job.outputs():
        time.sleep(0.05)
    began = time.monotonic()
    again.process.send_signal(signal.SIGTERM)
    assert again.process.wait(30) == 0
    assert time.monotonic() - began < 9  # a container waits for ten
    assert "Traceback" not in again.log.read_text()
    assert files_below(again.folder) == []  # no photo of a visitor's either
    while alive(again.process.pid):  # nor, a moment later, a process that it has started
        assert time.monotonic() - began < 30
        time.sleep(0.05)


def script(text: str, *arguments: object, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", text, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_killed_while_it_saves_the_picture_of_before_is_whole(tmp_path):
    path, most = tmp_path / "picture.png", 8_000_000
    saving = """
import sys
from pathlib import Path
from nst.image.saving import save
print("begins", flush=True)
while True:
    for letter in (b"a", b"b"):
        save(letter * int(sys.argv[2]), Path(sys.argv[1]))
"""
    for wait in (0.05, 0.06):  # somewhere in the midst of one of many
        process = script(saving, path, most)
        process.stdout.readline()
        while not path.exists():
            assert process.poll() is None
            time.sleep(0.001)
        time.sleep(wait)
        process.kill()
        process.wait()
        found = path.read_bytes()
        assert found in (b"a" * most, b"b" * most)


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
    job = paint(client, iterations=1000)
    while not job.outputs():
        time.sleep(0.05)
    job.cancel()
    began = time.monotonic()
    while (text := app.log.read_text()).count("nst.runs: ") < 3:
        assert time.monotonic() - began < 20, text
        time.sleep(0.1)
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
    began = time.monotonic()
    while "There is no public link" not in app.log.read_text():
        assert time.monotonic() - began < 20, app.log.read_text()
        time.sleep(0.1)
    assert f"up at http://127.0.0.1:{app.port}" in app.log.read_text()


def send_file(app: App, data: bytes) -> tuple[int, bytes]:
    """Upload a file as a page does; return status and answer."""
    head = 'Content-Disposition: form-data; name="files"; filename="photo.jpg"\r\nContent-Type: image/jpeg'
    body = f"--x\r\n{head}\r\n\r\n".encode() + data + b"\r\n--x--\r\n"
    connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=60)
    connection.request(
        "POST", "/gradio_api/upload", body, {"content-type": "multipart/form-data; boundary=x"}
    )
    answer = connection.getresponse()
    return answer.status, answer.read()


def test_a_full_disk_is_said_and_forgotten(app, photo, painting):
    client = Client(app.url, verbose=False)
    assert paint(client, photo, painting, size=64, iterations=10).result(timeout=60)
    # From now on no file of more than 60 kB can be written, as on a disk with that much left.
    resource.prlimit(app.process.pid, resource.RLIMIT_FSIZE, (60_000, 60_000))
    with pytest.raises(AppError, match="no room left to keep pictures"):
        paint(client, photo, painting, size=256, initial="noise", iterations=10).result(timeout=60)
    assert paint(client, photo, painting, size=64, iterations=10).result(timeout=60)
    status, told = send_file(app, bytes(2_000_000))
    assert (status, json.loads(told)["detail"]) == (507, NO_ROOM)
    assert send_file(app, bytes(20_000))[0] == 200
    assert app.counts() == (0, 0)
