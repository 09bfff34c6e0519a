"""Files are decoded elsewhere, in time and in turn."""

import asyncio
import contextlib
import errno
import io
import json
import multiprocessing
import os
import signal
import time
from multiprocessing import forkserver

import numpy as np
import pytest
from conftest import complete, eventually
from pictures import encoded, jpeg
from PIL import Image
from strangers import gif_of_comments, slow_jpeg

from nst import InputError, load_image
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


def test_pixels_and_size_are_those_of_the_core(decoder, sent):
    deep = Image.linear_gradient("L").resize((64, 48)).convert("I;16").point(lambda v: v * 257)
    turned = Image.Exif()
    turned[0x0112] = 6
    wide = [encoded(Image.new("RGB", (128, 96), "teal"), kind, exif=turned) for kind in ("JPEG", "AVIF")]
    for data in (jpeg(300, 200), encoded(deep, "PNG"), *wide):
        pixels, remark = complete(decoder.decode(sent(data), "The photo", ""))
        assert remark == ""
        assert complete(decoder.describe(sent(data), "The photo", ""))[0] == pixels.shape[1::-1]
        assert np.array_equal(to_tensor(pixels).numpy(), load_image(data).numpy())


def test_what_takes_minutes_is_given_up_in_seconds_and_the_next_is_served(decoder, sent):
    slow, comments = sent(slow_jpeg()), sent(gif_of_comments())
    began = time.monotonic()

    async def attack():
        tries = decoder.decode(slow, "It", "attacker"), decoder.describe(comments, "It", "attacker")
        return await asyncio.gather(*tries, return_exceptions=True)

    for error in complete(attack()):
        assert "It takes too long to read; save it smaller" in str(error)
    complete(decoder.decode(sent(jpeg()), "The photo", "somebody"))
    # Two deadlines and two new processes; the files would take four minutes.
    assert time.monotonic() - began < 60


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


def test_a_file_is_read_once_for_each_way_to_see_it(decoder, sent, asked):
    broken, whole = sent(jpeg()[:-400]), sent(jpeg())
    for _ in range(2):  # by the header alone
        assert complete(decoder.describe(broken, "The photo", ""))[0] == (120, 80)
    first, _ = complete(decoder.decode(whole, "This file", ""))
    assert complete(decoder.decode(whole, "The photo", ""))[0] is first
    assert asked == ["measure", "measure", "decode"]
    for label in ("This file", "The photo"):  # of which what is missing is said each time
        assert complete(decoder.decode(broken, label, ""))[1].startswith(f"{label} breaks off early")
    assert asked[3:] == ["decode"] * 2


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
