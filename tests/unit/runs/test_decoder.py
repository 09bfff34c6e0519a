"""Files are decoded elsewhere, in time and in turn."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import io
import json
import multiprocessing
import os
import signal
import struct
import time
from multiprocessing import forkserver

import numpy as np
import psutil
import pytest
from conftest import complete, eventually
from PIL import Image
from strangers import bomb, gif_of_comments, jpeg, slow_jpeg

from nst import InputError, load_image
from nst.image.decoding import measure
from nst.image.tensors import to_tensor
from nst.runs import decode_worker
from nst.runs import decoder as module
from nst.runs.decoder import Decoder
from nst.runs.storage import Files


@pytest.fixture(scope="module")
def decoder():
    return Decoder({"headers": 1.5, "pictures": 1.5, "large": 4.0})


@pytest.fixture(scope="module")
def sent():
    """Return a function that makes bytes a file that was sent."""
    files = Files()
    return lambda data: files.sent(str(files.add_upload("", "a.jpg", io.BytesIO(data))), "The photo")


@pytest.fixture
def asked(monkeypatch):
    """What processes are begun for, one after the other."""
    works, kind = [], module._Process
    monkeypatch.setattr(module, "_Process", lambda work, *more: (works.append(work), kind(work, *more))[1])
    return works


def test_pixels_are_those_of_the_core(decoder, sent):
    grey = io.BytesIO()
    Image.linear_gradient("L").resize((64, 48)).convert("I;16").point(lambda v: v * 257).save(grey, "PNG")
    for data in (jpeg(300, 200), grey.getvalue()):
        pixels, remark = complete(decoder.decode(sent(data), "The photo", ""))
        assert remark == ""
        assert np.array_equal(to_tensor(pixels).numpy(), load_image(data).numpy())


def test_what_takes_minutes_is_given_up_in_seconds_and_the_next_is_served(decoder, sent):
    began = time.monotonic()
    with pytest.raises(InputError, match="takes too long to read; save it smaller"):
        complete(decoder.decode(sent(slow_jpeg()), "The photo", "attacker"))
    with pytest.raises(InputError, match="takes too long"):
        complete(decoder.describe(sent(gif_of_comments()), "The photo", "attacker"))
    complete(decoder.decode(sent(jpeg()), "The photo", "somebody"))
    # Two deadlines and two new processes; the files would take four minutes.
    assert time.monotonic() - began < 60


def test_a_process_that_answers_without_end_is_tried_twice(decoder, sent, asked, monkeypatch):
    def begin_an_answer(link, *_):
        link.send_bytes(b"0")
        os.write(link.fileno(), struct.pack("!i", 1000) + b"{")
        time.sleep(600)

    monkeypatch.setattr(module, "_LAST", 0.2)
    monkeypatch.setattr(module, "_AGAIN", 0.0)
    monkeypatch.setattr(module, "_processes", multiprocessing.get_context("fork"))
    monkeypatch.setattr(module.decode_worker, "serve", begin_an_answer)
    with pytest.raises(InputError, match="The photo is damaged or incomplete"):
        complete(decoder.decode(sent(jpeg()), "The photo", "attacker", least=1))
    assert asked == ["decode"] * 2


def test_a_line_full_of_one_clients_slow_files_lets_anothers_through(decoder, sent):
    line, busy = decoder.lines["pictures"], "This host is busy reading other pictures; try again in a minute."
    slow_file = sent(slow_jpeg())

    async def crowd():
        reading = [decoder.decode(slow_file, "It", "9.9.9.9/32", least=1) for _ in range(80)]
        slow = [asyncio.create_task(one) for one in reading]
        while (await line.counts())[1] < 64:
            await asyncio.sleep(0.02)
        before = time.monotonic()
        await decoder.decode(sent(jpeg()), "The photo", "8.8.8.8/32")
        waited = time.monotonic() - before
        assert (await line.counts())[1] > 50  # they were not gone
        assert {str(task.exception()) for task in slow if task.done()} == {busy}
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return waited

    assert complete(crowd()) < 30  # a moment of what is under way; all of them would take minutes
    assert complete(line.counts()) == (0, 0)
    eventually(lambda: not multiprocessing.active_children())  # who gives up ends the work


def test_processes_that_die_or_cannot_begin_say_nothing_about_the_file(decoder, sent, asked, monkeypatch):
    start = module._processes.Process.start

    def start_and_die(process):
        start(process)
        if len(asked) == 1:
            os.kill(process.pid, signal.SIGKILL)

    monkeypatch.setattr(module._processes.Process, "start", start_and_die)
    assert complete(decoder.decode(sent(jpeg(seed=3)), "The photo", ""))[0].shape[2] == 3
    assert asked == ["measure", "measure", "decode"]
    os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)
    complete(decoder.decode(sent(jpeg(seed=3)), "The photo", ""))

    def refused(process):
        raise BlockingIOError(errno.EAGAIN, "no process left")

    monkeypatch.setattr(module, "_AGAIN", 0.0)
    monkeypatch.setattr(module._processes.Process, "start", refused)
    with pytest.raises(InputError, match="The photo cannot be read here just now"):
        complete(decoder.describe(sent(jpeg(seed=7)), "The photo", ""))


def test_a_bomb_weighs_on_another_process_that_is_ended_for_it(sent):
    decoder, data = Decoder(), bomb()
    memory = psutil.Process().memory_info
    before = memory().rss
    assert complete(decoder.describe(sent(data), "The photo", ""))[0] == (7900, 7900)
    assert memory().rss < before + 60 * 2**20
    complete(decoder.decode(sent(data), "The photo", ""))
    assert not multiprocessing.active_children()  # what decoded it is gone


def test_a_file_is_read_once_for_each_way_to_see_it(decoder, sent, asked):
    broken, whole = sent(jpeg()[:-400]), sent(jpeg())
    for _ in range(2):  # by the header alone
        assert complete(decoder.describe(broken, "The photo", ""))[0] == (120, 80)
    first, _ = complete(decoder.decode(whole, "This file", "", alpha=True))
    assert complete(decoder.decode(whole, "The photo", "", alpha=True))[0] is first
    assert asked == ["measure", "measure", "decode"]
    pixels, _ = complete(decoder.decode(whole, "This file", "", ground=0.0))
    np.testing.assert_array_equal(pixels, first)
    for label in ("This file", "The photo"):  # of which what is missing is said each time
        assert complete(decoder.decode(broken, label, ""))[1].startswith(f"{label} breaks off early")
    assert asked[3:] == ["decode"] * 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_size_that_is_told_is_the_size_that_is_painted(kind):
    data, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (128, 96), "teal").save(data, kind, exif=exif)
    assert measure(data.getvalue()) == load_image(data.getvalue()).shape[:1:-1]


def test_a_process_knows_no_secret_and_writes_no_file(monkeypatch, tmp_path):
    file = tmp_path / "written"

    def look(data):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with contextlib.suppress(OSError):
            file.write_bytes(b"1")
        return {"environment": sorted(os.environ)}, b""

    monkeypatch.setattr(decode_worker, "_WORK", {"look": look})
    monkeypatch.setenv("HF_TOKEN", "secret")
    link, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(
        target=decode_worker.serve, args=(theirs, 30.0, "look", b"", {})
    )
    child.start()
    assert link.recv_bytes()
    assert json.loads(link.recv_bytes()) == {"environment": []}
    assert file.stat().st_size == 0
    child.join()
