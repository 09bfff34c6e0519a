"""One thread for all that computes."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import aclosing
from contextvars import ContextVar
from functools import partial

import numpy as np
import pytest
from conftest import complete

from nst import Settings, painting
from nst.inputs import Inputs
from nst.optimization import loop
from nst.optimization.loop import Controls
from nst.painters import pixels as runs_pixels
from nst.painters.local import Local
from nst.painters.worker import busy_for, each_in_worker, in_worker, submit

visitor = ContextVar("visitor", default="nobody")


def test_who_leaves_ends_the_work_and_others_may_come_between():
    closed = []

    def items():
        try:
            while True:
                yield visitor.get()
        finally:
            closed.append(threading.get_ident())

    async def leave_early():
        visitor.set("Ada")
        async with aclosing(each_in_worker(items())) as taken:
            assert await anext(taken) == "Ada"
            assert await in_worker(lambda: "between") == "between"

    complete(leave_early())
    assert closed == [submit(threading.get_ident).result()] != [threading.get_ident()]


def test_who_is_sent_away_in_mid_item_ends_the_work_too():
    began, closed = threading.Event(), threading.Event()

    def items():
        try:
            while True:
                began.set()
                time.sleep(0.2)
                yield 1
        finally:
            closed.set()

    async def take():
        async with aclosing(each_in_worker(items())) as taken:
            async for _ in taken:
                pass

    async def cancel():
        task = asyncio.create_task(take())
        await asyncio.to_thread(began.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    complete(cancel())
    assert closed.wait(10)


def test_how_long_it_has_been_at_work_can_be_told():
    submit(int).result()
    assert busy_for() == 0
    go_on = threading.Event()
    work = submit(go_on.wait, 30)
    while busy_for() < 0.05:
        time.sleep(0.01)
    go_on.set()
    work.result()


def test_all_of_a_painting_is_computed_there(monkeypatch):
    """Also what comes before the first iteration: a second thread that computes makes it slower by half."""
    seen = set()

    def traced(work, *given):
        seen.add(threading.get_ident())
        return work(*given)

    async def paint():
        local = Local(1, 1, 1.0)
        turn = await local.join("")
        await local.mark_ready(turn, 1.0)
        pixels = np.zeros((48, 64, 3), np.uint8)
        settings = Settings(size=64, iterations=10)
        return [f async for f in local.paint(turn, Inputs(pixels, (pixels,)), settings, Controls())]

    for module, name in ((painting, "_prepared"), (runs_pixels, "to_tensor"), (loop, "Plan")):
        monkeypatch.setattr(module, name, partial(traced, getattr(module, name)))
    assert complete(paint())[-1].frame.final
    assert seen == {submit(threading.get_ident).result()}
