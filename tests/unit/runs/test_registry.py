"""Whose runs are whose, how long they last, and what outlives the process."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import os
import time
from collections.abc import AsyncGenerator, Iterable
from itertools import repeat
from typing import Any

import numpy as np
import pytest
from conftest import complete
from PIL import Image
from strangers import jpeg

from nst import InputError, Settings
from nst.image.picture_files import encode_jpeg
from nst.inputs import Inputs
from nst.optimization.estimate import Forecast
from nst.optimization.frames import Frame
from nst.painters import PainterDiedError, Standing
from nst.painters.previews import Preview
from nst.painters.worker import submit
from nst.runs import record
from nst.runs.decoder import Decoder
from nst.runs.own_folder import own_folder
from nst.runs.registry import Registry, owner_of
from nst.runs.run import Listeners, Run, Waiting
from nst.runs.storage import Files, Upload
from nst.runs.stream import Update

MINE, YOURS = owner_of("m" * 32), owner_of("y" * 32)


class Scripted:
    """A painter who does as told: paints so many frames, and dies after some of them.

    Args:
        standings: what becomes of its tickets, one after the other; after the last one nothing more does.
    """

    def __init__(
        self,
        frames: int = 4,
        dies_after: tuple[int, ...] = (),
        slow: float = 0.0,
        standings: Iterable[Standing | PainterDiedError] = repeat(Standing(True)),
    ) -> None:
        self.frames, self.dies_after, self.slow = frames, list(dies_after), slow
        self.standings, self.waiting = iter(standings), 0
        self.tickets: list[object] = []
        self.joined: list[bool] = []  # each time, whether again
        self.resumed: list[tuple[int, int] | None] = []

    async def join(self, visitor: str, *, again: bool = False) -> object:
        self.joined.append(again)
        self.tickets.append(object())
        return self.tickets[-1]

    async def mark_ready(self, *_: Any) -> Standing:
        standing = next(self.standings, None)
        if isinstance(standing, PainterDiedError):
            raise standing
        return standing or await asyncio.Event().wait()

    wait_for_change = mark_ready

    async def leave(self, ticket: object) -> None:
        if ticket in self.tickets:
            self.tickets.remove(ticket)

    async def counts(self) -> tuple[int, int]:
        return 1, self.waiting

    async def forecast(self, width: int, height: int, settings: Settings) -> Forecast:
        return Forecast(width, height, 1.0)

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
            frame = Frame(
                image, number, self.frames, (60, 40), {"total": 1.0}, number, number, 1.0, 0.0, "tiny", "CPU",
                settings, final,
            )  # fmt: skip
            yield Preview(frame, (60, 40), number / 10, b"" if final else encode_jpeg(image))
            if final:
                return


@pytest.fixture(scope="module")
def decoder():
    decoder = Decoder()
    decoder.start()
    return decoder


@pytest.fixture
def files():
    files = Files()
    yield files
    files.close()


def registry(painter: Any, files: Files, decoder: Decoder, grace: float = 30.0, **more: float) -> Registry:
    return Registry(painter, files, decoder, Listeners(), grace, **more)


def pictures(files: Files, seed: int = 1) -> Inputs[Any]:
    sent = [Upload(files.add_upload("", "a.jpg", io.BytesIO(jpeg(seed=seed + n)))) for n in range(2)]
    return Inputs(sent[0], (sent[1],))


async def followed(runs: Registry, run: Run) -> list[Any]:
    """Follow a run to its end."""
    with runs.listeners.listening("page"):
        return [update async for update in run.follow("page")]


async def painted(runs: Registry, files: Files) -> tuple[Run, list[Any]]:
    """Begin a run and follow it to its end."""
    run = await runs.begin(MINE, "", pictures(files), Settings())
    return run, await followed(runs, run)


def test_a_run_that_had_to_go_from_the_queue_is_refused(files, decoder):
    painter = Scripted(standings=[Standing(False, 0, 190)])
    run, updates = complete(painted(registry(painter, files, decoder), files))
    assert (run.state, updates) == ("refused", [])
    assert run.message == "This host is full; try again in about 4 minutes."
    assert not painter.tickets


def test_while_others_wait_a_long_run_ends_with_what_it_has(files, decoder):
    painter = Scripted(frames=60, slow=0.002)
    run, updates = complete(painted(registry(painter, files, decoder, busy=20), files))
    assert updates[-1].frame.iteration == 60  # nobody waits
    painter.waiting = 1
    run, updates = complete(painted(registry(painter, files, decoder, busy=20), files))
    last = updates[-1].frame
    assert last.final
    assert 20 < last.iteration < 40  # each takes a second, says the frame
    assert last.notice == "Others are waiting, so this ended after 21 s. Press Continue to go on."
    assert run.state == "finished"
    assert run.folder.finished


def test_a_run_belongs_to_its_key(files, decoder):
    runs = registry(Scripted(), files, decoder)
    run, updates = complete(painted(runs, files))
    assert updates[-1].frame.final
    assert run.state == "finished"
    assert runs.find(MINE, run.id) is run
    assert runs.of(MINE) == [run]
    for owner in (YOURS, "", MINE[:-1], "é"):
        assert runs.find(owner, run.id) is None
    assert runs.of(YOURS) == runs.of("") == []
    for number in (None, 7, ["x"], {"id": run.id}, run.id[:-1], ""):
        assert runs.find(MINE, number) is None


@pytest.mark.parametrize("key", [None, "", "short", 5, ["m" * 32], "m" * 65, "m" * 31 + "\n", "ü" * 32])
def test_what_is_no_key_owns_nothing(key):
    assert owner_of(key) == ""


def test_it_goes_on_alone_for_a_while_then_keeps_what_it_has(files, decoder):
    runs = registry(Scripted(frames=1000, slow=0.02), files, decoder, grace=0.5)

    async def leave():
        run = await runs.begin(MINE, "", pictures(files), Settings())
        with runs.listeners.listening("page"):
            async with contextlib.aclosing(run.follow("page")) as updates:
                async for update in updates:
                    if isinstance(update, Update):
                        break
            assert run.under_way
        left = time.monotonic()
        while run.under_way:
            await asyncio.sleep(0.01)
        return run, time.monotonic() - left

    run, seconds = complete(leave())
    assert seconds > 0.4
    assert run.state == "left"
    assert Image.open(run.folder.finished.path).format == "PNG"
    assert not runs.painter.tickets


@pytest.mark.parametrize(
    ("owner", "frames", "state"), [("", 1000, "left"), (MINE, 40, "finished")], ids=["program", "browser"]
)
def test_a_program_that_was_killed_gives_its_place_up_at_once(
    owner, frames, state, files, decoder, monkeypatch
):
    """Gradio goes on with its event for it; a browser may be on its way back."""
    monkeypatch.setattr("nst.runs.run._HUNG_UP", 0.2)
    runs = registry(Scripted(frames=frames, slow=0.02), files, decoder, grace=60)

    async def killed():
        run = await runs.begin(owner, "", pictures(files), Settings())
        with runs.listeners.listening("program"):
            await asyncio.sleep(0.1)
        async for _ in run.follow("program"):
            pass
        return run

    assert complete(killed()).state == state


def test_who_comes_back_in_time_keeps_it_going(files, decoder):
    runs = registry(Scripted(frames=50, slow=0.02), files, decoder, grace=0.6)

    async def back():
        run = await runs.begin(MINE, "", pictures(files), Settings())
        with runs.listeners.listening("page"):
            async with contextlib.aclosing(run.follow("page")) as updates:
                await anext(updates)
        await asyncio.sleep(0.2)
        assert runs.unattended(MINE) is run
        assert runs.unattended(YOURS) is None
        with runs.listeners.listening("other"):
            updates = run.follow("other")
            await anext(updates)
            assert runs.unattended(MINE) is None
            async for _ in updates:
                pass
        return run

    assert complete(back()).state == "finished"


def test_what_is_deleted_comes_back_for_a_while_to_its_owner_alone(files, decoder):
    runs = registry(Scripted(), files, decoder)
    run, _ = complete(painted(runs, files))

    async def delete_and_take_back():
        runs.delete(run)
        assert runs.of(MINE) == []
        assert runs.find(MINE, run.id) is None
        assert not (run.folder.path / ".run.json").exists()  # by which another host would take it over
        runs.restore(YOURS, run.id)
        assert runs.of(MINE) == []
        runs.restore(MINE, run.id)

    complete(delete_and_take_back())
    assert runs.of(MINE) == [run]
    assert runs.find(MINE, run.id).folder.finished
    assert adopted(files, decoder).find(MINE, run.id) is not None


def test_what_is_deleted_is_gone_also_in_mid_run(files, decoder, monkeypatch):
    monkeypatch.setattr("nst.runs.registry.UNDO", 0.2)
    runs = registry(Scripted(frames=200, slow=0.02), files, decoder)

    async def delete():
        done = await runs.begin(MINE, "", pictures(files), Settings())
        while done.latest is None:
            await asyncio.sleep(0.01)
        runs.delete(done)
        assert runs.of(MINE) == []
        while done.folder.path.exists():
            await asyncio.sleep(0.01)
        return done

    run = complete(delete())
    assert not run.under_way
    assert runs.find(MINE, run.id) is None


def test_painters_that_die_cost_no_painting(files, decoder):
    # The first one while a picture was read.
    painter = Scripted(5, dies_after=(2,), standings=[PainterDiedError(), *[Standing(True)] * 2])
    run, updates = complete(painted(registry(painter, files, decoder), files))
    assert run.state == "finished"
    assert painter.joined == [False, True, True]  # before all who wait
    assert painter.resumed == [None, (60, 40)]
    assert "another one goes on from step 2" in updates[-1].frame.notice
    assert not painter.tickets


def test_after_three_deaths_it_ends_with_what_it_has(files, decoder):
    runs = registry(Scripted(frames=5, dies_after=(2, 1, 0)), files, decoder)
    run, updates = complete(painted(runs, files))
    assert run.state == "finished"
    assert "3 painters of this host failed" in updates[-1].frame.notice
    assert Image.open(run.folder.finished.path).size == (60, 40)
    assert not runs.painter.tickets
    run, _ = complete(painted(registry(Scripted(dies_after=(0, 0, 0)), files, decoder), files))
    assert run.state == "refused"
    assert run.message == "The painters of this host fail one after the other; try again later."


def test_what_cannot_be_painted_is_a_sentence_and_no_run(files, decoder):
    runs = registry(Scripted(), files, decoder)
    with pytest.raises(InputError, match="Add a photo first"):
        complete(runs.begin(MINE, "", Inputs(None, (None,)), Settings()))
    given = pictures(files)
    given.photo.path.write_bytes(b"no picture")

    async def begin():
        run = await runs.begin(MINE, "", given, Settings())
        return run, await followed(runs, run)

    run, updates = complete(begin())
    assert (run.state, updates) == ("refused", [])
    assert run.message.startswith("The photo")
    assert runs.of(MINE) == []  # nothing of it is to be shown


def adopted(files: Files, decoder: Decoder) -> Registry:
    """Return the registry of a process that has begun on the files of one that was killed."""
    submit(int).result()  # unlike a killed process's, this one's thread may still be writing a frame
    own_folder().orphans.extend(files.folder.glob("run-*"))
    own_folder().orphans.extend(files.folder.glob("upload-*"))
    runs = registry(Scripted(), Files(), decoder)
    runs.adopt()
    return runs


def test_after_a_kill_its_owner_finds_it_and_can_go_on(files, decoder, monkeypatch):
    async def killed():
        runs = registry(Scripted(frames=1000, slow=0.05), files, decoder)
        run = await runs.begin(
            MINE, "", pictures(files), Settings(style_weight=7), drawings={"photo": b"PNG"}
        )
        program = await runs.begin("", "", pictures(files, 5), Settings())
        while len(run.folder.frames) < 3:
            await asyncio.sleep(0.01)
        monkeypatch.setattr(record, "write", lambda run: None)  # as a killed process writes nothing more
        return run, program

    run, program = complete(killed())
    monkeypatch.undo()
    runs = adopted(files, decoder)
    again = runs.find(MINE, run.id)
    assert again.state == "interrupted"
    assert again.message == "The server restarted."
    assert again.settings.style_weight == 7
    assert again.drawings == {"photo": b"PNG"}
    assert again.pictures.photo == run.pictures.photo
    assert again.pictures.photo.path.exists()
    assert again.folder.frames == run.folder.frames[: len(again.folder.frames)]
    assert len(again.folder.frames) >= 2
    assert runs.find(YOURS, run.id) is None
    # What nobody can ask for is gone, its uploads too.
    assert not program.folder.path.exists()
    assert not program.pictures.photo.path.exists()


def test_what_is_finished_outlives_a_kill_but_not_its_hour(files, decoder):
    runs = registry(Scripted(), files, decoder)
    new, _ = complete(painted(runs, files))
    old, _ = complete(painted(runs, files))
    hours_ago = time.time() - 3700
    os.utime(old.folder.path, (hours_ago, hours_ago))
    again = adopted(files, decoder)
    assert [run.id for run in again.of(MINE)] == [new.id]
    assert again.find(MINE, new.id).folder.finished == new.folder.finished
    assert not old.folder.path.exists()


@pytest.mark.parametrize(
    "damage",
    [
        b"{",
        b"[]",
        {"settings": {"size": "x"}},
        {"photo": "../../etc/passwd/x"},
        {"frames": [["a"]]},
        {"owner": ""},
        {"began": time.time() + 9999},
    ],
)
def test_a_record_that_is_damaged_is_removed_with_its_run(damage, files, decoder):
    run, _ = complete(painted(registry(Scripted(), files, decoder), files))
    path = run.folder.path / ".run.json"
    entry = json.loads(path.read_text())
    path.write_bytes(damage if isinstance(damage, bytes) else json.dumps({**entry, **damage}).encode())
    assert adopted(files, decoder).of(MINE) == []
    assert not run.folder.path.exists()


def test_many_runs_leave_no_growth(files, decoder):
    runs = registry(Scripted(frames=1), files, decoder)
    given = pictures(files)

    async def many():
        for _ in range(60):
            await followed(runs, await runs.begin(MINE, "v", given, Settings()))
        return len(runs._runs), len(runs._tasks), len(runs.listeners._open)

    kept, tasks, sessions = complete(many())
    assert kept <= 25  # as many as one visitor may have here
    assert tasks <= 1
    assert sessions == 0


def test_what_nobody_foresaw_has_the_same_number_in_the_log_and_for_the_visitor(files, decoder, caplog):
    painter = Scripted()
    painter.forecast = None
    with caplog.at_level(logging.INFO, "nst.runs"):
        run, _ = complete(painted(registry(painter, files, decoder), files))
    told = json.loads(caplog.records[-1].getMessage())
    assert told["outcome"] == run.state == "failed"
    assert run.message == f"Something broke here (error {told['error']}); try again."
    assert told["settings"] == {}  # but for what differs
    assert "size" not in told  # nothing was painted


def test_who_waits_is_told_where_and_can_be_asked_to_end(files, decoder):
    painter = Scripted(standings=[Standing(False, 2, 9.5)])
    runs = registry(painter, files, decoder)

    async def stopped() -> tuple[Run, list[Any]]:
        run, told = await runs.begin(MINE, "", pictures(files), Settings()), []
        async for update in run.follow(""):
            told.append(update)
            await asyncio.to_thread(run.stop.set)  # as Gradio does
        return run, told

    run, told = complete(stopped())
    assert (run.state, told) == ("stopped", [Waiting(2, 10)])
    assert not painter.tickets


def test_who_was_second_in_the_line_is_painted_when_the_turn_comes(files, decoder):
    line = [Standing(False, 2, 10.0), Standing(False, 1, 4.2), Standing(True)]
    run, _ = complete(painted(registry(Scripted(standings=line), files, decoder), files))
    assert run.state == "finished"
