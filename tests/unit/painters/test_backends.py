"""What each of those that paint promises, in this process, on ZeroGPU and in a cluster."""

import asyncio
import contextlib
import io
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import complete
from PIL import Image

from nst import InputError, Settings
from nst.inputs import Inputs
from nst.optimization.loop import Controls
from nst.painters import Backend, zero
from nst.painters.local import Local
from nst.painters.previews import Preview
from nst.painters.worker import busy_for, submit

SHORT = Settings(size=64, iterations=10)
LONG = Settings(size=512, iterations=1000)
WAITING, EACH, BUSY = 2, 3, 60.0


@pytest.fixture(
    scope="module", params=["this process", "ZeroGPU", pytest.param("Ray", marks=pytest.mark.full)]
)
def backend(request) -> Iterator[Backend]:
    """What paints, once it can."""
    if request.param == "this process":
        yield Local(WAITING, EACH, BUSY)
    elif request.param == "ZeroGPU":  # but for the process that is lent a GPU, for which see `test_zero.py`
        yield zero.Zero(WAITING, EACH, BUSY)
    else:
        pytest.importorskip("ray")
        from nst.painters.cluster import Cluster

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("RAY_worker_niceness", "0")
            cluster = Cluster("local", WAITING, EACH, BUSY)
            yield cluster
            cluster.close()


@contextlib.asynccontextmanager
async def turn(backend: Backend, client: str = "") -> AsyncIterator[Any]:
    """Have a ticket whose turn has come."""
    ticket = await backend.join(client)
    try:
        await begun(backend, ticket)
        yield ticket
    finally:
        await backend.leave(ticket)


async def begun(backend: Backend, ticket: Any) -> bool:
    """Wait for a turn."""
    standing = await backend.mark_ready(ticket, 5.0)
    while not standing.begun:
        standing = await backend.wait_for_change(ticket, standing)
    return True


async def paint(
    backend: Backend, settings: Settings = SHORT, pictures: Inputs | None = None, **controls: Any
) -> AsyncIterator[Preview]:
    """Yield what is seen of a painting."""
    pixels = np.random.default_rng(0).integers(0, 255, (72, 96, 3), np.uint8)
    given: Any = pictures or Inputs(pixels, (pixels,)), settings, Controls(interval=0.0, **controls)
    async with turn(backend) as ticket, contextlib.aclosing(backend.paint(ticket, *given)) as previews:
        async for preview in previews:
            yield preview


async def painted(*given: Any) -> list[Preview]:
    """Return all that is seen of a painting."""
    return [preview async for preview in paint(*given)]


def test_one_paints_others_wait_and_whoever_leaves_or_gives_way_makes_room(backend):
    async def visits():
        async with turn(backend, "a") as first:
            await backend.mark_ready(first, 500.0)
            second, third = await backend.join("a"), await backend.join("a")
            assert await backend.mark_ready(second, 7.0) == (False, 1, BUSY)
            third_waits = await backend.mark_ready(third, 7.0)
            assert third_waits == (False, 2, BUSY + 7)
            with pytest.raises(InputError, match="You have 3 paintings under way here"):
                await backend.join("a")
            other = await backend.join("b")
            assert not (await backend.wait_for_change(third, third_waits)).place  # it had to go
        assert await begun(backend, second)
        await backend.mark_ready(other, 1.0)
        await backend.give_way(second)
        assert await begun(backend, other)
        assert not (await backend.mark_ready(second, 1.0)).begun
        await backend.leave(other)
        assert await begun(backend, second)
        for ticket in (second, third):
            await backend.leave(ticket)
        assert await backend.counts() == (0, 0)

    complete(asyncio.wait_for(visits(), 120))


def test_a_run_ends_as_it_was_forecast_also_after_one_that_was_refused(backend):
    with pytest.raises(InputError, match=r"\A.+\Z"):
        complete(painted(backend, replace(SHORT, style_layers="relu3_2", encoder="narrow")))
    forecast = complete(backend.forecast(96, 72, SHORT))
    *passing, last = complete(painted(backend))
    assert passing
    assert all(preview.jpeg and not preview.frame.final for preview in passing)
    assert last.frame.final
    assert last.frame.image.shape == (forecast.height, forecast.width, 3) == (48, 64, 3)
    assert last.frame.settings == SHORT
    assert last.change > 0


def test_a_run_is_steered_and_stopped_on_its_way(backend):
    wished = replace(LONG, style_weight=9.0)
    followed: list[bool] = []

    async def visit() -> Preview:
        async for preview in paint(backend, LONG, stop=lambda: any(followed), steer=lambda: wished):
            notice = "from the next Continue on" in preview.frame.notice
            followed.append(preview.frame.settings == wished or notice)
        return preview

    last = complete(visit())
    assert last.frame.final
    assert any(followed[:-1])
    assert last.frame.iteration < LONG.iterations
    assert last.frame.image.shape == (384, 512, 3)


def test_a_clip_comes_frame_by_frame_and_goes_on_from_one_that_is_painted(backend):
    clip = np.random.default_rng(0).integers(0, 255, (3, 48, 64, 3), np.uint8)
    found = complete(painted(backend, SHORT, Inputs(clip, (clip[0],))))
    assert [preview.frame.iteration for preview in found if preview.done] == [1, 2, 3]
    assert {preview.frame.total for preview in found} == {3}
    with Image.open(io.BytesIO(found[-1].jpeg)) as last:
        assert last.size == found[-1].size == (64, 48)
        rest = complete(painted(backend, SHORT, Inputs(clip, (clip[0],), resume=last.copy())))
    assert [preview.frame.iteration for preview in rest if preview.done] == [2, 3]


def test_what_computes_knows_whose_work_it_is_and_how_long_it_takes():
    name, go_on = ContextVar("name"), threading.Event()
    name.set("Ada")
    assert submit(name.get).result() == "Ada"  # by this ZeroGPU knows the visitor
    assert busy_for() == 0
    work = submit(go_on.wait, 30)
    while busy_for() < 0.05:
        time.sleep(0.01)
    go_on.set()
    work.result()


def test_where_sockets_have_too_long_a_path_ray_is_not_said_to_be_missing(monkeypatch, tmp_path):
    pytest.importorskip("ray")
    from nst.painters.cluster import Cluster

    deep = tmp_path / ("x" * 100)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    monkeypatch.setenv("TMPDIR", str(deep))
    monkeypatch.setenv("RAY_TMPDIR", str(deep))
    with pytest.raises(InputError, match="Ray's sockets have too long a path here; set TMPDIR"):
        Cluster("local", WAITING, EACH, BUSY)
