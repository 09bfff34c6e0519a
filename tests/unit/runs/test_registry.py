"""Whose runs are whose, how long they last, and what outlives the process."""

import asyncio
import contextlib
import io
import json
import logging
import os
import time
from collections.abc import AsyncGenerator, Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import complete
from pictures import jpeg
from PIL import Image

from nst import Settings
from nst.image.picture_files import encode_jpeg
from nst.inputs import Inputs
from nst.optimization.frames import Frame
from nst.painters import PainterDiedError
from nst.painters.local import Local
from nst.painters.previews import Preview
from nst.runs.decoder import Decoder
from nst.runs.own_folder import own_folder
from nst.runs.registry import Registry, owner_of
from nst.runs.run import Listeners, LossLog, Run
from nst.runs.storage import Files, Upload
from nst.runs.stream import Update

MINE, YOURS = owner_of("m" * 32), owner_of("y" * 32)


class Scripted(Local):
    """A queue of at most two, and a painter who paints so many frames, and dies after some of them."""

    def __init__(self, frames: int = 4, dies_after: tuple[int, ...] = (), slow: float = 0.0) -> None:
        super().__init__(2, 9, 300.0)
        self.frames, self.dies_after, self.slow = frames, list(dies_after), slow
        self.joined: list[bool] = []  # each time, whether again
        self.resumed: list[tuple[int, int] | None] = []

    async def join(self, client: str, *, again: bool = False, late: bool = False) -> Any:
        self.joined.append(again)
        return await super().join(client, again=again)

    async def paint(
        self, ticket: object, pictures: Inputs[Any], settings: Settings, controls: Any
    ) -> AsyncGenerator[Preview, None]:
        self.resumed.append(pictures.resume.size if pictures.resume else None)
        dies = self.dies_after.pop(0) if self.dies_after else None
        for number in range(1, self.frames + 1):
            await asyncio.sleep(self.slow)
            if dies is not None and number > dies:
                raise PainterDiedError
            final = number == self.frames or controls.stop()
            image = np.full((40, 60, 3), number % 250, np.uint8)
            numbers: Any = ({"total": 1.0}, number, number, 1.0, 0.0, "tiny", "CPU")
            frame = Frame(image, number, self.frames, (60, 40), *numbers, settings, final)
            yield Preview(frame, (60, 40), number / 10, b"" if final else encode_jpeg(image))
            if final:
                return


@pytest.fixture(scope="module")
def decoder():
    return Decoder()


@pytest.fixture
def registry(decoder) -> Callable[..., Registry]:
    """What makes the registry of a host with such a painter."""
    files = Files()
    yield lambda painter, grace=30.0, **more: Registry(painter, files, decoder, Listeners(), grace, **more)
    files.close()


@pytest.fixture
def runs(registry) -> Registry:
    return registry(Scripted())


async def begin(runs: Registry, owner=MINE, client="", drawings=None, **settings: Any) -> Run:
    sent = [runs.files.add_upload("", "a.jpg", io.BytesIO(jpeg(seed=seed))) for seed in range(2)]
    photo, style = map(Upload, sent)
    pictures = Inputs(photo, (style,))
    return await runs.begin(owner, client, pictures, Settings(**settings), drawings=drawings)


async def painted(runs: Registry, **more: Any) -> tuple[Run, list[Any]]:
    """Begin a run and follow it to its end."""
    run = await begin(runs, **more)
    with runs.listeners.listening("page"):
        return run, [update async for update in run.follow("page")]


def test_who_waits_is_told_where_and_may_have_to_go_for_somebody_who_has_less(runs):
    async def in_line():
        for client in ("a", "b"):
            await runs.painter.mark_ready(await runs.painter.join(client), 100.0)
        run, updates = await begin(runs, client="b"), []
        async for update in run.follow(""):
            updates.append(update)
            await runs.painter.join("c")
        return run, updates

    run, updates = complete(in_line())
    assert updates == [(False, 2, 200)]
    assert run.state == "refused"
    assert run.message == "This host is full; try again in about 4 minutes."
    assert runs.of(MINE) == []  # nothing of it is to be shown


def test_while_others_wait_a_long_run_ends_with_what_it_has(registry, monkeypatch):
    runs = registry(Scripted(frames=60, slow=0.002), busy=20)
    _, updates = complete(painted(runs))
    assert updates[-1].frame.iteration == 60  # nobody waits
    complete(runs.painter.join("other"))
    run, updates = complete(painted(runs))
    last = updates[-1].frame
    assert last.final
    assert 20 < last.iteration < 40  # each takes a second, says the frame
    assert last.notice == "Others are waiting, so this ended after 21 s. Press Continue to go on."
    assert run.state == "finished"
    assert run.folder.finished


def test_a_run_belongs_to_its_key(runs):
    run, _ = complete(painted(runs))
    assert runs.find(MINE, run.id) is run
    assert runs.of(MINE) == [run]
    for owner in (YOURS, "", MINE[:-1], "é"):
        assert runs.find(owner, run.id) is None
    assert runs.of(YOURS) == runs.of("") == []
    runs.files.remove(run.folder)  # as when its hour is over
    another, _ = complete(painted(runs))
    assert list(runs._runs) == [another.id]
    for key in (None, "", 5, ["m" * 32], "m" * 21, "m" * 65, "m" * 31 + "\n", "ü" * 32):
        assert owner_of(key) == ""


def test_who_comes_back_in_time_keeps_it_going_and_left_alone_it_ends_with_what_it_has(registry):
    runs = registry(Scripted(frames=1000, slow=0.02), grace=0.6)

    async def visits():
        run = await begin(runs)
        with runs.listeners.listening("page"):
            async with contextlib.aclosing(run.follow("page")) as updates:
                while not isinstance(await anext(updates), Update):
                    pass
        left = time.monotonic()
        await asyncio.sleep(0.2)
        with runs.listeners.listening("other"):
            async with contextlib.aclosing(run.follow("other")) as updates:
                while time.monotonic() < left + 1.0:  # longer than it would go on alone
                    await anext(updates)
        left = time.monotonic()
        while run.under_way:
            await asyncio.sleep(0.01)
        return run, time.monotonic() - left

    run, seconds = complete(visits())
    assert seconds > 0.4
    assert run.state == "left"
    assert Image.open(run.folder.finished.path).format == "PNG"
    assert complete(runs.painter.counts()) == (0, 0)


@pytest.mark.parametrize(
    ("owner", "frames", "state"), [("", 1000, "left"), (MINE, 25, "finished")], ids=["program", "browser"]
)
def test_a_program_that_was_killed_gives_its_place_up_at_once(owner, frames, state, registry, monkeypatch):
    """Gradio goes on with its event for it; a browser may be on its way back."""
    monkeypatch.setattr("nst.runs.run._HUNG_UP", 0.2)
    runs = registry(Scripted(frames=frames, slow=0.02), grace=60)

    async def killed():
        run = await begin(runs, owner)
        with runs.listeners.listening("program"):
            await asyncio.sleep(0.1)
        async for _ in run.follow("program"):
            pass
        return run

    assert complete(killed()).state == state


def test_what_is_deleted_is_gone_soon_unless_its_owner_takes_that_back(registry, monkeypatch):
    monkeypatch.setattr("nst.runs.registry.UNDO", 0.2)
    runs = registry(Scripted(frames=200, slow=0.02))

    async def delete():
        run = await begin(runs)
        written = run.folder.path / ".run.json"  # by which another host would take it over
        while run.latest is None:
            await asyncio.sleep(0.01)
        runs.delete(run)
        runs.restore(YOURS, run.id)
        assert runs.of(MINE) == []
        assert runs.find(MINE, run.id) is None
        assert not written.exists()
        runs.restore(MINE, run.id)
        assert runs.of(MINE) == [runs.find(MINE, run.id)] == [run]
        assert written.exists()
        runs.delete(run)
        while run.folder.path.exists():
            await asyncio.sleep(0.01)
        return run

    run = complete(delete())
    assert not run.under_way
    assert runs.find(MINE, run.id) is None


def test_painters_that_die_cost_no_painting_and_after_three_it_ends_with_what_it_has(registry):
    painter = Scripted(5, dies_after=(0, 2))
    run, updates = complete(painted(registry(painter)))
    assert run.state == "finished"
    assert painter.joined == [False, True, True]  # before all who wait
    assert painter.resumed == [None, None, (60, 40)]
    assert "another one goes on from step 2" in updates[-1].frame.notice
    assert complete(painter.counts()) == (0, 0)
    run, updates = complete(painted(registry(Scripted(5, dies_after=(2, 1, 0)))))
    assert run.state == "finished"
    assert "3 painters of this host failed" in updates[-1].frame.notice
    assert Image.open(run.folder.finished.path).size == (60, 40)
    run, _ = complete(painted(registry(Scripted(dies_after=(0, 0, 0)))))
    assert run.state == "refused"
    assert run.message == "The painters of this host fail one after the other; try again later."


@pytest.mark.parametrize("damage", [{}, {"photo": "../../x/y"}, {"frames": [["a"]]}, {"began": 9e9}, None])
def test_what_is_finished_outlives_a_kill_but_not_its_hour_nor_damage(damage, runs):
    given = {"style_weight": 7, "drawings": {"photo": b"PNG"}}
    (new, _), (old, _) = complete(painted(runs, **given)), complete(painted(runs))
    program, _ = complete(painted(runs, owner=""))
    path, hours_ago = old.folder.path / ".run.json", time.time() - 3700
    if damage is None:
        os.utime(old.folder.path, (hours_ago, hours_ago))
    else:
        path.write_text(json.dumps({**json.loads(path.read_text()), **damage}) if damage else "{")
    for kind in ("run", "upload"):  # what another process finds
        own_folder().orphans.extend(runs.files.folder.glob(f"{kind}-*"))
    again = Registry(Scripted(), Files(), runs.decoder, Listeners(), 30.0)
    again.adopt()
    assert [run.id for run in again.of(MINE)] == [new.id]
    found = again.find(MINE, new.id)
    assert (found.folder.finished, found.folder.frames) == (new.folder.finished, new.folder.frames)
    assert (found.settings.style_weight, found.drawings) == (7, given["drawings"])
    assert found.pictures.photo == new.pictures.photo
    assert found.pictures.photo.path.exists()
    assert again.find(YOURS, new.id) is None
    # What nobody can ask for is gone, its uploads too.
    assert not old.folder.path.exists()
    assert not program.folder.path.exists()
    assert not program.pictures.photo.path.exists()


def test_what_nobody_foresaw_has_the_same_number_in_the_log_and_for_the_visitor(runs, caplog):
    runs.painter.forecast = None
    with caplog.at_level(logging.INFO, "nst.runs"):
        run, _ = complete(painted(runs))
    line = json.loads(caplog.records[-1].getMessage())
    assert line["outcome"] == run.state == "failed"
    assert run.message == f"Something broke here (error {line['error']}); try again."


def test_the_chart_of_a_long_run_is_a_light_table_of_logarithms_that_covers_all_of_it():
    log, losses = LossLog(), {"content": 0.1, "style": 10.0, "total variation": 0.0}
    for iteration in range(1, 10_001):
        log.add(SimpleNamespace(iteration=iteration, losses=losses))
    table = log.table()
    assert table["term"].tolist()[:4] == ["content", "style"] * 2  # of nothing there is no logarithm
    assert table["log10"].tolist()[:2] == pytest.approx([-1, 1])
    steps = table["step"].tolist()[::2]
    assert (steps[0], steps[-1] > 9_800, 100 <= len(steps) <= 200) == (1, True, True)
