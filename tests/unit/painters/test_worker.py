"""One thread for all that computes."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import aclosing
from contextvars import ContextVar

import numpy as np
import pytest
from conftest import complete

from nst import Settings
from nst.inputs import Inputs
from nst.optimization.loop import Controls
from nst.painters import pixels
from nst.painters.local import Local
from nst.painters.worker import busy_for, each_in_worker, in_worker, submit

visitor = ContextVar("visitor", default="nobody")


def test_who_leaves_in_mid_item_ends_the_work_and_others_may_come_between():
    began, closed = threading.Event(), []

    def items():
        try:
            yield visitor.get()
            began.set()
            time.sleep(0.2)
            yield 2
        finally:
            closed.append(threading.get_ident())

    async def visit():
        visitor.set("Ada")
        async with aclosing(each_in_worker(items())) as taken:
            assert await anext(taken) == "Ada"
            assert await in_worker(lambda: "between") == "between"
            task = asyncio.ensure_future(anext(taken))
            await asyncio.to_thread(began.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    complete(visit())
    assert closed == [submit(threading.get_ident).result()] != [threading.get_ident()]


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
    seen = []

    def to_tensor(picture):
        seen.append(threading.get_ident())
        return tensor_of(picture)

    async def paint():
        local, picture = Local(1, 1, 1.0), np.zeros((48, 64, 3), np.uint8)
        given = Inputs(picture, (picture,)), Settings(size=64, iterations=10), Controls()
        return [preview async for preview in local.paint(await local.join(""), *given)]

    tensor_of = pixels.to_tensor
    monkeypatch.setattr(pixels, "to_tensor", to_tensor)
    assert complete(paint())[-1].frame.final
    assert {*seen} == {submit(threading.get_ident).result()}
