"""A clip's way from the queue to the film."""

from __future__ import annotations

import asyncio
import io
import itertools
from pathlib import Path

import av
import numpy as np
import pytest
from clips import made_film, shots
from conftest import complete
from PIL import Image
from strangers import jpeg

from nst import InputError, Settings
from nst.clips.reading import open_clip
from nst.inputs import Inputs
from nst.painters import PainterDiedError
from nst.painters.local import Local
from nst.runs import record
from nst.runs.decoder import Decoder
from nst.runs.registry import Registry, owner_of
from nst.runs.run import Listeners
from nst.runs.storage import Files, Upload
from nst.runs.stream import Update

MINE = owner_of("m" * 32)
QUICK = Settings(size=64, iterations=10)
FRAMES = 8


@pytest.fixture(scope="module")
def decoder():
    decoder = Decoder(frames=FRAMES, clip_size=96)
    decoder.start()
    yield decoder


@pytest.fixture
def files():
    files = Files()
    yield files
    files.close()


@pytest.fixture
def painter():
    return Local(20, 9, 60.0)


@pytest.fixture
def runs(painter, files, decoder):
    return Registry(painter, files, decoder, Listeners(), 30.0)


@pytest.fixture
def given(files, tmp_path):
    film = made_film(tmp_path / "a.mp4", times=range(FRAMES), sound="aac").read_bytes()
    sent = Upload(files.add_upload("", "a.mp4", io.BytesIO(film)), "a.mp4")
    return Inputs(sent, (Upload(files.add_upload("", "b.jpg", io.BytesIO(jpeg())), "b.jpg"),))


async def painted(runs, given, settings=QUICK, on=None, client="", **more):
    """Paint to the end; `on` is called with each update, and the run."""
    run = await runs.begin(MINE, client, given, settings, **more)
    updates = []
    with runs.listeners.listening("page"):
        async for update in run.follow("page"):
            updates.append(update)
            if on and isinstance(update, Update):
                on(update, run)
    return run, updates


def numbers(run):
    return [frame.iteration for frame in run.folder.frames]


def whole(run):
    """Return the frames of a run's film, and whether it sounds."""
    mp4 = Path(run.folder.finished.path).with_suffix(".mp4")
    with av.open(str(mp4)) as film:
        sounds = bool(film.streams.audio)
    clip = open_clip(mp4)
    return list(clip.frames(max(clip.size))), sounds


def test_a_clip_becomes_a_film_with_its_sound(runs, given):
    run, updates = complete(painted(runs, given))
    assert (run.state, run.message) == ("finished", "")
    assert numbers(run) == list(range(1, FRAMES + 1))
    frames, sounds = whole(run)
    assert [len(frames), frames[0].shape, sounds] == [FRAMES, (42, 64, 3), True]
    with Image.open(run.folder.finished.path) as moving, Image.open(run.folder.before) as before:
        assert (moving.n_frames, moving.size, before.n_frames) == (FRAMES, (64, 43), FRAMES)
    last = updates[-1].frame
    assert (last.iteration, last.total, last.final, last.remaining) == (FRAMES, FRAMES, True, 0)
    steps = [update.frame.iteration for update in updates if isinstance(update, Update)]
    assert steps == sorted(steps)
    assert run.file_name(run.folder.finished).startswith("a-b-")
    assert run.folder.frames[2].name == "Frame 3"
    assert run.file_name(run.folder.frames[2]).startswith("a-b-frame-3-")


def test_a_clip_is_no_larger_than_the_host_paints_them(runs, given):
    run, _ = complete(painted(runs, given, Settings(size=512, iterations=10), on=stop_at(1)))
    assert max(run.folder.frames[-1].size) == 96
    assert run.settings.size == 512  # a photo would be


def stop_at(number):
    def stop(update, run):
        if update.frame.iteration >= number:
            run.stop.set()

    return stop


def test_stopped_it_is_a_film_of_what_there_is_and_goes_on_from_there(runs, given):
    run, updates = complete(painted(runs, given, on=stop_at(3)))
    assert run.state == "stopped"
    done = len(numbers(run))
    assert 3 <= done < FRAMES
    assert len(whole(run)[0]) == updates[-1].frame.iteration == done
    again, updates = complete(painted(runs, given, earlier=run.folder.frames))
    assert numbers(again) == list(range(1, FRAMES + 1))
    assert len(whole(again)[0]) == FRAMES
    assert updates[-1].frame.total == FRAMES
    for before, after in zip(run.folder.frames, again.folder.frames, strict=False):
        assert Path(before.path).read_bytes() == Path(after.path).read_bytes()
        assert before.path != after.path  # of which each goes with its own run


def test_what_is_finished_of_it_plays_meanwhile_and_leaves_little_behind(runs, given):
    seen = set()
    run, _ = complete(painted(runs, given, on=lambda update, run: seen.add(run.folder.so_far)))
    assert len(seen) >= 3
    with Image.open(run.folder.so_far) as film:
        assert 2 <= film.n_frames <= FRAMES
    assert len(list(run.folder.path.glob("passing-*"))) <= 8


def test_a_painter_that_dies_costs_no_finished_frame(runs, painter, given, monkeypatch):
    painted_before = painter.paint
    deaths = itertools.count()

    async def dying(ticket, pictures, settings, controls):
        async for preview in painted_before(ticket, pictures, settings, controls):
            yield preview
            if preview.done and preview.frame.iteration == 3 and not next(deaths):
                raise PainterDiedError

    monkeypatch.setattr(painter, "paint", dying)
    run, updates = complete(painted(runs, given))
    assert run.state == "finished"
    assert numbers(run) == list(range(1, FRAMES + 1))
    assert updates[-1].frame.notice == "A painter of this host failed; another one goes on from frame 3."


def test_a_picture_is_painted_between_two_frames_of_a_clip(runs, given):
    async def both():
        clip = asyncio.create_task(painted(runs, given, client="10.0.0.1"))
        while not runs.of(MINE) or len(numbers(runs.of(MINE)[0])) < 2:
            await asyncio.sleep(0.01)
        (run,) = runs.of(MINE)
        photo = Inputs(given.styles[0], given.styles)
        picture, _ = await painted(runs, photo, client="10.0.0.2")
        between = len(numbers(run))
        await clip
        return run, picture, between

    run, picture, between = complete(both())
    assert picture.state == run.state == "finished"
    assert between < FRAMES
    assert numbers(run) == list(range(1, FRAMES + 1))


def test_stopped_while_it_waits_between_two_frames_it_is_a_film(runs, painter, given, monkeypatch):
    async def waits(ticket, before):
        await asyncio.sleep(60)

    async def gone(ticket):
        (run,) = runs.of(MINE)
        run.stop.set()
        ticket.worker = None

    async def counts():
        return 1, 1

    for name, way in (("wait_for_change", waits), ("give_way", gone), ("counts", counts)):
        monkeypatch.setattr(painter, name, way)
    run, _ = complete(painted(runs, given))
    assert (run.state, numbers(run)) == ("stopped", [1])
    assert len(whole(run)[0]) == 1


def test_after_a_restart_it_goes_on_from_the_last_finished_frame(runs, given):
    def interrupted(update, run):
        if update.frame.iteration >= 3 and not hasattr(run, "kept"):
            record.write(run)
            run.kept = record.read(run.folder)

    run, _ = complete(painted(runs, given, on=interrupted))
    found = run.kept
    assert (found.state, found.step) == ("interrupted", "frame")
    assert numbers(found)[:3] == [1, 2, 3]
    assert found.pictures.photo.path == given.photo.path


def test_the_time_limit_is_the_whole_clips_and_what_there_is_is_kept(runs, painter, given):
    run, updates = complete(painted(runs, given, Settings(size=96, iterations=1000, time_limit=1)))
    assert 1 <= len(numbers(run)) < FRAMES
    assert updates[-1].frame.notice == "The time limit of 1 seconds was reached."
    assert run.folder.finished


def test_a_clip_is_painted_within_a_mask(runs, given):
    keep = Image.new("L", (96, 64))
    keep.paste(255, (0, 0, 96, 40))
    masked = Inputs(given.photo, given.styles, keep=keep)
    run, _ = complete(painted(runs, masked, Settings(size=96, iterations=10, edge=0)))
    frames, _ = whole(run)
    for shot, frame in zip(shots(FRAMES), frames, strict=True):
        assert np.abs(frame[4:32].astype(int) - shot[4:32]).mean() < 12


def test_a_clip_that_is_to_go_on_from_a_picture_is_refused(runs, given):
    run, _ = complete(painted(runs, Inputs(given.photo, given.styles, resume=given.styles[0])))
    assert (run.state, run.message) == ("refused", "A clip cannot go on from a picture; leave that out.")


@pytest.mark.parametrize("data", [b"\0\0\0\x18ftypisom" + b"\0" * 200, b"\x1a\x45\xdf\xa3" + b"\0" * 200])
def test_what_is_no_clip_is_refused_in_a_sentence(data, runs, files, given):
    broken = Upload(files.add_upload("", "a.mp4", io.BytesIO(data)))
    run, _ = complete(painted(runs, Inputs(broken, given.styles)))
    assert run.state == "refused"
    assert run.message == "The photo cannot be read as a clip; save it as MP4 with H.264."


def test_a_film_is_a_style_by_its_first_frame(runs, given, decoder):
    pixels, _ = complete(decoder.decode(given.photo, "The style picture", ""))
    assert pixels.shape == (64, 96, 3)
    assert pixels[24, 8, 0] > 150


def test_ten_thousand_tiny_frames_are_as_many_as_the_host_paints(files, decoder):
    tiny = [Image.new("L", (16, 16), 30 * (number % 7)) for number in range(10_000)]
    file = io.BytesIO()
    tiny[0].save(file, "GIF", save_all=True, append_images=tiny[1:], duration=20, loop=0)
    sent = Upload(files.add_upload("", "a.gif", io.BytesIO(file.getvalue())))
    try:
        _, moving = complete(decoder.describe(sent, "The photo", ""))
        clip = complete(decoder.clip(sent, "The photo", "", 64))
    except InputError as error:
        assert "takes too long to read" in str(error)  # a slow machine
    else:
        assert moving.count == len(clip) == FRAMES
