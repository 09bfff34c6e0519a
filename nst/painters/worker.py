"""The one thread that computes.

The threads with which torch computes belong to the thread that called it. Where several have called, there
are more of them than cores: with frames taken by two threads in turn, a painting took a third longer.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

_Item = TypeVar("_Item")
_END = object()

_thread = ThreadPoolExecutor(1, thread_name_prefix="worker")
_began = 0.0  # when the work in progress began, 0 while there is none


def submit(work: Callable[..., _Item], *given: Any) -> Future[_Item]:
    """Have `work` called in that thread, when what was submitted before is done."""
    # In the caller's context: it is by Gradio's that ZeroGPU knows the visitor.
    return _thread.submit(copy_context().run, _timed, work, *given)


async def in_worker(work: Callable[..., _Item], *given: Any) -> _Item:
    """Return what `work` returns when called in that thread, or raise what it raises; others wait for it."""
    return await asyncio.wrap_future(submit(work, *given))


async def each_in_worker(items: Generator[_Item]) -> AsyncGenerator[_Item]:
    """Yield what a generator yields, each item made in that thread; others may come between two items."""
    try:
        while (item := await in_worker(next, items, _END)) is not _END:
            yield item
    finally:
        # Whoever has left must not leave it half closed.
        await asyncio.shield(in_worker(items.close))


def busy_for() -> float:
    """Return for how many seconds the work in progress has been going on."""
    began = _began
    return time.monotonic() - began if began else 0.0


def _timed(work: Callable[..., _Item], *given: Any) -> _Item:
    global _began
    _began = time.monotonic()
    try:
        return work(*given)
    finally:
        _began = 0.0
