"""Files are decoded elsewhere, in time and in turn."""

from __future__ import annotations

import asyncio
import errno
import io
import json
import multiprocessing
import os
import re
import signal
import struct
import time
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from conftest import complete
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
    decoder = Decoder({"headers": 1.5, "pictures": 1.5, "large": 4.0})
    decoder.start()
    return decoder


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


def test_pixels_and_refusals_are_those_of_the_core(decoder, sent):
    grey = io.BytesIO()
    Image.linear_gradient("L").resize((64, 48)).convert("I;16").point(lambda v: v * 257).save(grey, "PNG")
    for data in (jpeg(300, 200), grey.getvalue()):
        pixels, remark = complete(decoder.decode(sent(data), "The photo", ""))
        assert remark == ""
        assert np.array_equal(to_tensor(pixels).numpy(), load_image(data).numpy())
    for data in (b"", b"<svg/>", jpeg()[:400], jpeg(10, 10)):
        with pytest.raises(InputError) as said:
            load_image(data, "The photo")
        with pytest.raises(InputError, match=re.escape(str(said.value))):
            complete(decoder.decode(sent(data), "The photo", ""))


def test_what_takes_minutes_is_given_up_in_seconds_and_the_next_is_served(decoder, sent):
    began = time.monotonic()
    with pytest.raises(InputError, match="takes too long to read; save it smaller"):
        complete(decoder.decode(sent(slow_jpeg()), "The photo", "attacker"))
    with pytest.raises(InputError, match="takes too long"):
        complete(decoder.measure(sent(gif_of_comments()), "The photo", "attacker"))
    complete(decoder.decode(sent(jpeg()), "The photo", "somebody"))
    # Two deadlines and two new processes; the files would take four minutes.
    assert time.monotonic() - began < 60


def begin_an_answer(link, *_):
    link.send_bytes(b"0")
    os.write(link.fileno(), struct.pack("!i", 1000) + b"{")
    time.sleep(600)


def begin_and_die(link, *_):
    link.send_bytes(b"0")
    os._exit(1)


@pytest.mark.parametrize(
    ("work", "sentence"),
    [
        (begin_an_answer, "The photo is damaged or incomplete"),
        (begin_and_die, "The photo is damaged or incomplete"),
        (lambda *_: os._exit(1), "The photo cannot be read here just now"),
    ],
    ids=["an answer without end", "death over the file", "death before the file was begun"],
)
def test_a_process_that_does_not_answer_is_tried_twice(work, sentence, decoder, sent, asked, monkeypatch):
    monkeypatch.setattr(module, "_LAST", 0.2)
    monkeypatch.setattr(module, "_AGAIN", 0.0)
    monkeypatch.setattr(module, "_processes", multiprocessing.get_context("fork"))
    monkeypatch.setattr(module.decode_worker, "serve", work)
    with pytest.raises(InputError, match=sentence):
        complete(decoder.decode(sent(jpeg()), "The photo", "attacker", least=1))
    assert asked == ["decode"] * 2


def test_who_gives_up_ends_the_work(sent):
    decoder = Decoder({"headers": 30.0, "pictures": 300.0, "large": 300.0})

    async def give_up():
        task = asyncio.create_task(decoder.decode(sent(slow_jpeg()), "The photo", "a"))
        while not (await decoder.lines["pictures"].counts())[0]:
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.3)
        task.cancel()
        # Free at once, and not when the file would be done.
        await asyncio.wait_for(decoder.decode(sent(jpeg()), "The photo", "b"), 60)

    complete(give_up())


def test_a_line_full_of_one_clients_slow_files_lets_anothers_through(decoder, sent):
    line, busy = decoder.lines["pictures"], "This host is busy reading other pictures; try again in a minute."

    async def crowd():
        files = [sent(slow_jpeg(3000 + number)) for number in range(8)]
        slow = [asyncio.create_task(decoder.decode(file, "It", "9.9.9.9/32", least=1)) for file in files * 10]
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


def test_a_process_that_dies_costs_another_try_and_no_file(decoder, sent, asked, monkeypatch):
    start = module._processes.Process.start

    def start_and_die(process):
        start(process)
        if len(asked) == 1:
            os.kill(process.pid, signal.SIGKILL)

    monkeypatch.setattr(module._processes.Process, "start", start_and_die)
    file = sent(jpeg(seed=3))
    assert complete(decoder.decode(file, "The photo", ""))[0].shape[2] == 3
    assert asked == ["measure", "measure", "decode"]


def test_a_host_that_has_no_process_left_calls_no_file_damaged(decoder, sent, monkeypatch):
    def full(process):
        raise BlockingIOError(errno.EAGAIN, "no process left")

    monkeypatch.setattr(module, "_AGAIN", 0.0)
    monkeypatch.setattr(module._processes.Process, "start", full)
    with pytest.raises(InputError, match="The photo cannot be read here just now"):
        complete(decoder.measure(sent(jpeg(seed=7)), "The photo", ""))


def test_a_server_of_processes_that_dies_is_replaced(decoder, sent):
    complete(decoder.decode(sent(jpeg()), "The photo", ""))
    os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)
    complete(decoder.decode(sent(jpeg(seed=3)), "The photo", ""))


def test_a_bomb_weighs_on_another_process_that_is_ended_for_it(sent):
    decoder, data = Decoder(), bomb()
    complete(decoder.measure(sent(jpeg()), "The photo", ""))
    memory = psutil.Process().memory_info
    before = memory().rss
    for _ in range(3):
        width, height = complete(decoder.measure(sent(data), "The photo", ""))
        assert (width, height) == (7900, 7900)
    assert memory().rss < before + 60 * 2**20
    complete(decoder.decode(sent(data), "The photo", ""))
    assert not multiprocessing.active_children()  # what decoded it is gone


def test_a_file_is_read_once_for_each_way_to_see_it(decoder, sent, asked):
    broken, whole = sent(jpeg()[:-400]), sent(jpeg())
    for _ in range(2):  # by the header alone
        assert complete(decoder.measure(broken, "The photo", "")) == (120, 80)
    first, _ = complete(decoder.decode(whole, "This file", "", alpha=True))
    assert complete(decoder.decode(whole, "The photo", "", alpha=True))[0] is first
    assert asked == ["measure", "measure", "decode"]
    pixels, _ = complete(decoder.decode(whole, "This file", "", ground=0.0))
    np.testing.assert_array_equal(pixels, first)
    assert asked[3:] == ["decode"]


def test_what_is_missing_of_a_picture_is_said_by_each_of_its_names(decoder, sent):
    file = sent(jpeg()[:-40])
    for what in ("This file", "The photo"):
        _, remark = complete(decoder.decode(file, what, ""))
        assert remark.startswith(f"{what} breaks off early")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_size_that_is_told_is_the_size_that_is_painted(kind):
    data, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (128, 96), "teal").save(data, kind, exif=exif)
    assert measure(data.getvalue()) == load_image(data.getvalue()).shape[:1:-1]


def test_a_process_knows_no_secret_and_writes_no_file(monkeypatch, capfd):
    monkeypatch.setattr(decode_worker, "_WORK", {"look": _looks})
    link, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(
        target=decode_worker.serve, args=(theirs, 30.0, "look", b"", {})
    )
    monkeypatch.setenv("HF_TOKEN", "secret")
    child.start()
    assert link.recv_bytes()
    assert json.loads(link.recv_bytes()) == {"environment": [], "written": False}
    child.kill()
    child.join()


def _looks(data: bytes) -> tuple[dict[str, Any], bytes]:
    written = True
    try:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with Path("/tmp/never").open("wb", buffering=0) as file:
            file.write(b"1")
    except OSError:
        written = False
    return {"environment": sorted(os.environ), "written": written}, b""
