"""Who paints and who waits."""

from __future__ import annotations

import contextlib

import pytest

from nst import InputError
from nst.ui import status
from nst.ui.runs.queue import Queue
from nst.ui.web.visitors import network_of


def test_one_paints_and_the_others_wait_in_their_order():
    queue = Queue(waiting=3, each=3)
    assert queue.counts() == (0, 0)
    with contextlib.ExitStack() as first, contextlib.ExitStack() as second, contextlib.ExitStack() as third:
        one = first.enter_context(queue.turn("a", 30))
        two = second.enter_context(queue.turn("b", 20))
        three = third.enter_context(queue.turn("c", 10))
        assert [turn.begun.is_set() for turn in (one, two, three)] == [True, False, False]
        assert queue.counts() == (1, 2)
        assert queue.ahead(three) == (2, 50)
        one.seconds = 5  # it gets on
        assert queue.ahead(three) == (2, 25)
        second.close()  # somebody gives up
        assert not three.begun.is_set()
        assert queue.ahead(three) == (1, 5)
        first.close()
        assert three.begun.is_set()
    assert queue.counts() == (0, 0)


def test_a_full_host_says_so_and_when_to_come_back():
    queue = Queue(waiting=2, each=9)
    with contextlib.ExitStack() as runs:
        for _ in range(3):
            runs.enter_context(queue.turn("", 50))
        with pytest.raises(InputError, match="full: 2 people are waiting; try again in about 3 minutes"):
            runs.enter_context(queue.turn("", 50))
    with queue.turn("", 50):
        pass


def test_one_visitor_cannot_fill_the_queue():
    queue = Queue(waiting=20, each=2)
    with queue.turn("a", 1), queue.turn("a", 1):
        with pytest.raises(InputError, match="You have 2 paintings under way"), queue.turn("a", 1):
            pass
        with queue.turn("b", 1), queue.turn("", 1), queue.turn("", 1), queue.turn("", 1):
            assert queue.counts() == (1, 5)


def test_who_is_not_ready_is_passed_over_and_keeps_the_place():
    queue = Queue(waiting=5, each=5)
    with queue.turn("a", 10, ready=False) as slow:
        assert not slow.begun.is_set()
        assert queue.counts() == (0, 1)
        with queue.turn("b", 20) as quick:
            assert quick.begun.is_set()
            queue.is_ready(slow)
            assert not slow.begun.is_set()
            assert queue.ahead(slow) == (1, 20)
            with queue.turn("c", 30) as last:
                assert queue.ahead(last) == (2, 30)
        assert slow.begun.is_set()
        assert queue.counts() == (1, 0)


def test_a_run_that_breaks_frees_the_queue():
    queue = Queue(waiting=2, each=2)
    with pytest.raises(RuntimeError), queue.turn("a", 1):
        raise RuntimeError("a bug")
    assert queue.counts() == (0, 0)


@pytest.mark.parametrize(
    ("host", "forwarded", "visitor"),
    [
        ("8.8.8.8", "", "8.8.8.8/32"),
        ("8.8.8.8", "1.1.1.1", "8.8.8.8/32"),  # what a stranger says of himself does not count
        ("127.0.0.1", "1.1.1.1", "1.1.1.1/32"),
        ("10.0.0.7", "9.9.9.9, 1.1.1.1, 10.0.0.1", "1.1.1.1/32"),  # the first entry is anybody's word
        ("10.0.0.7", "nonsense, 10.0.0.1", ""),
        ("127.0.0.1", "", ""),
        ("testclient", "", ""),
        ("2a00:1450:4001:82b::200e", "", "2a00:1450:4001:82b::/64"),
        ("::ffff:8.8.8.8", "", "8.8.8.8/32"),  # all of version 4 is no one network of version 6
        ("127.0.0.1", "::ffff:1.1.1.1", "1.1.1.1/32"),
        ("127.0.0.1", "1.1.1.1:50312", "1.1.1.1/32"),  # as some proxies write it
        ("127.0.0.1", "[2a00:1450:4001:82b::200e]:443", "2a00:1450:4001:82b::/64"),
        ("127.0.0.1", "9.9.9.9\n1.1.1.1", "1.1.1.1/32"),  # a proxy that adds a line, not an entry
        ("127.0.0.1", "9.9.9.9, unknown, 10.0.0.1", ""),  # before what nobody understands is anybody's word
        ("100.64.0.9", "1.1.1.1", "1.1.1.1/32"),  # behind a provider's own translation
    ],
)
def test_a_visitor_is_told_by_an_address_that_can_be_trusted(host, forwarded, visitor):
    assert network_of(host, forwarded.split("\n")) == visitor


def test_who_waits_is_told_place_and_time():
    assert "You are next · about 25 s to wait" in status.waiting(1, 26)
    assert "2 before you · about 2 min to wait" in status.waiting(3, 115)
    assert "not known" in status.waiting(1, 0)
