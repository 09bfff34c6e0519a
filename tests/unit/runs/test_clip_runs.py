"""A clip's way from the queue to the film."""

import asyncio
import io
import itertools
from pathlib import Path

import av
import numpy as np
import pytest
from clips import made_film, shots
from conftest import complete
from pictures import jpeg
from PIL import Image

from nst import Settings
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
    return Decoder(frames=FRAMES, clip_size=96)


@pytest.fixture
def files():
    files = Files()
    yield files
    files.close()


@pytest.fixture
def runs(files, decoder):
    return Registry(Local(20, 9, 60.0), files, decoder, Listeners(), 30.0)


@pytest.fixture
def given(files, tmp_path):
    film = made_film(tmp_path / "a.mp4", times=range(FRAMES), sound="aac").read_bytes()
    sent = Upload(files.add_upload("", "a.mp4", io.BytesIO(film)), "a.mp4")
    return Inputs(sent, (Upload(files.add_upload("", "b.jpg", io.BytesIO(jpeg())), "b.jpg"),))


async def painted(runs, given, settings=QUICK, on=None, client="", **more):
    """Paint to the end; `on` is called with the run at each update."""
    run = await runs.begin(MINE, client, given, settings, **more)
    updates = []
    with runs.listeners.listening("page"):
        async for update in run.follow("page"):
            updates.append(update)
            if on and isinstance(update, Update):
                on(run)
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


def test_a_clip_becomes_a_film_with_its_sound_and_mask_though_a_painter_dies(runs, given, monkeypatch):
    painted_before, deaths = runs.painter.paint, itertools.count()

    async def dying(*work):
        async for preview in painted_before(*work):
            yield preview
            if preview.done and preview.frame.iteration == 3 and not next(deaths):
                raise PainterDiedError

    monkeypatch.setattr(runs.painter, "paint", dying)
    keep, seen = Image.new("L", (96, 64)), set()
    keep.paste(255, (0, 0, 96, 40))
    masked, settings = Inputs(given.photo, given.styles, keep=keep), Settings(size=96, iterations=10, edge=0)
    run, updates = complete(painted(runs, masked, settings, on=lambda run: seen.add(run.folder.so_far)))
    assert (run.state, run.message) == ("finished", "")
    assert numbers(run) == list(range(1, FRAMES + 1))
    frames, sounds = whole(run)
    assert (len(frames), sounds) == (FRAMES, True)
    for shot, frame in zip(shots(FRAMES), frames, strict=True):
        assert np.abs(frame[4:32].astype(int) - shot[4:32]).mean() < 12
    with Image.open(run.folder.finished.path) as moving, Image.open(run.folder.before) as before:
        assert (moving.n_frames, moving.size, before.n_frames) == (FRAMES, (96, 64), FRAMES)
    last = updates[-1].frame
    assert (last.iteration, last.total, last.final, last.remaining) == (FRAMES, FRAMES, True, 0)
    assert last.notice == "A painter of this host failed; another one goes on from frame 3."
    assert run.file_name(run.folder.frames[2]).startswith("a-b-frame-3-")
    # Meanwhile what was finished of it plays, and of what was in work only the newest is still there.
    assert len(seen) >= 3
    with Image.open(run.folder.so_far) as film:
        assert 2 <= film.n_frames <= FRAMES
    assert len(list(run.folder.path.glob("passing-*"))) <= 8


def test_a_clip_lets_others_in_between_its_frames_and_goes_on_after_a_stop(runs, given):
    async def both():
        clip = asyncio.create_task(painted(runs, given, client="10.0.0.1"))
        while not runs.of(MINE) or len(numbers(runs.of(MINE)[0])) < 2:
            await asyncio.sleep(0.01)
        (run,) = runs.of(MINE)
        picture, _ = await painted(runs, Inputs(given.styles[0], given.styles), client="10.0.0.2")
        assert picture.state == "finished"
        between = len(numbers(run))
        while len(numbers(run)) == between:
            await asyncio.sleep(0.01)
        third = await runs.painter.join("10.0.0.3")
        await runs.painter.mark_ready(third, 1.0)
        while third.worker is None:
            await asyncio.sleep(0.01)
        run.stop.set()
        _, updates = await clip
        await runs.painter.leave(third)
        return run, updates, between

    run, updates, between = complete(both())
    done = len(numbers(run))
    assert run.state == "stopped"
    assert between < done < FRAMES
    assert len(whole(run)[0]) == updates[-1].frame.iteration == done
    found = record.read(run.folder)  # as after a restart
    assert found.step == "frame"
    again, updates = complete(painted(runs, given, earlier=found.folder.frames))
    assert numbers(again) == list(range(1, FRAMES + 1))
    frames, _ = whole(again)
    assert (len(frames), frames[0].shape) == (FRAMES, (42, 64, 3))
    assert updates[-1].frame.total == FRAMES
    for before, after in zip(run.folder.frames, again.folder.frames, strict=False):
        assert Path(before.path).read_bytes() == Path(after.path).read_bytes()
        assert before.path != after.path  # of which each goes with its own run


def test_its_size_is_the_hosts_and_the_time_limit_that_of_the_whole_clip(runs, given):
    run, updates = complete(painted(runs, given, Settings(size=512, iterations=1000, time_limit=1)))
    assert 1 <= len(numbers(run)) == len(whole(run)[0]) < FRAMES
    assert updates[-1].frame.notice == "The time limit of 1 seconds was reached."
    assert max(run.folder.frames[-1].size) == 96
    assert run.settings.size == 512  # a photo would be


def test_a_clip_does_not_go_on_from_a_picture(runs, given):
    run, _ = complete(painted(runs, Inputs(given.photo, given.styles, resume=given.styles[0])))
    assert run.state == "refused"
    assert run.message == "A clip cannot go on from a picture; leave that out."


def test_a_film_is_a_style_by_its_first_frame(runs, given, decoder):
    pixels, _ = complete(decoder.decode(given.photo, "The style picture", ""))
    assert pixels.shape == (64, 96, 3)
    assert pixels[24, 8, 0] > 150
