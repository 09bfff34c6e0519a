"""One thread for all that computes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import pytest

from nst.ui.workshop import item_by_item, there

visitor = ContextVar("visitor", default="nobody")


def test_items_are_made_in_one_thread_whoever_takes_them():
    def items():
        for _ in range(4):
            yield threading.get_ident()

    taken = item_by_item(items())
    makers, takers = set(), set()
    for _ in range(4):
        with ThreadPoolExecutor(1) as taker:
            makers.add(taker.submit(next, taken).result())
            takers.add(taker.submit(threading.get_ident).result())
    assert makers == {there(threading.get_ident)}
    assert not makers & takers


def test_who_leaves_ends_the_work_and_others_may_come_between():
    closed = []

    def items():
        try:
            while True:
                yield visitor.get()
        finally:
            closed.append(threading.get_ident())

    token = visitor.set("Ada")
    taken = item_by_item(items())
    assert next(taken) == "Ada"
    assert there(lambda: "between") == "between"
    taken.close()
    visitor.reset(token)
    assert closed == [there(threading.get_ident)]


def test_what_goes_wrong_there_is_raised_here():
    def items():
        yield 1
        raise ValueError("no more")

    taken = item_by_item(items())
    assert next(taken) == 1
    with pytest.raises(ValueError, match="no more"):
        next(taken)
