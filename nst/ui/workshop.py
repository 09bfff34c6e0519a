"""The one thread that computes.

The threads with which torch computes belong to the thread that called it. Where several have called,
there are more of them than cores, and OpenMP lets them sleep instead of wait for each other: with every
frame taken by another of two threads, a painting was seen to take a third longer.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

_Item = TypeVar("_Item")
_END = object()

_thread = ThreadPoolExecutor(1, thread_name_prefix="workshop")


def there(work: Callable[..., _Item], *given: Any) -> _Item:
    """Return what `work` returns when called there, or raise what it raises; others wait meanwhile."""
    # In the caller's context: it is by Gradio's that ZeroGPU knows the visitor.
    return _thread.submit(copy_context().run, work, *given).result()


def item_by_item(items: Generator[_Item, None, None]) -> Iterator[_Item]:
    """Yield what a generator yields, each item made there; others may come between two items."""
    try:
        while (item := there(next, items, _END)) is not _END:
            yield item
    finally:
        there(items.close)
