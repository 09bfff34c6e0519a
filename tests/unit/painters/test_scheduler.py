"""Who paints and who waits."""

import contextlib
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from nst import InputError
from nst.painters import scheduler
from nst.painters.scheduler import Scheduler, Standing, Ticket


def now(work: Coroutine[Any, Any, Any]) -> Any:
    """Return what is returned by something that has nothing to wait for."""
    with pytest.raises(StopIteration) as done:
        work.send(None)
    return done.value.value


class Line(Scheduler):
    """A scheduler whose tickets are ready as soon as they are there."""

    def __init__(self, waiting: int = 20, each: int = 9, painters: tuple[str, ...] = ("",)) -> None:
        super().__init__(waiting, each, painters, 120.0)

    def ready(self, client: str, seconds: float = 10, **more: bool) -> Ticket:
        ticket = now(self.join(client, **more))
        now(self.mark_ready(ticket, seconds))
        return ticket

    def gone(self, ticket: Ticket) -> None:
        now(self.leave(ticket))

    def standing(self, ticket: Ticket) -> Standing:
        return now(self.mark_ready(ticket, ticket.seconds))

    def places(self, *tickets: Ticket) -> list[int]:
        """Return the places of jobs; 0 is that of one that is done."""
        return [self.standing(ticket).place for ticket in tickets]


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """The time, to be changed."""
    time = [100.0]
    monkeypatch.setattr(scheduler, "time", SimpleNamespace(monotonic=lambda: time[0]))
    return time


def test_whoever_has_nothing_painting_comes_before_anybodys_second():
    queue = Line()
    mine = [queue.ready("a", 100) for _ in range(3)]
    other, third = queue.ready("b"), queue.ready("c")
    assert queue.places(other, third, mine[1], mine[2]) == [1, 2, 3, 4]
    assert queue.standing(other) == (False, 1, 100)
    mine[0].seconds = 25  # it gets on
    assert queue.standing(third) == (False, 2, 35)
    for ticket in (mine[0], other, third, mine[1], mine[2]):
        assert queue.standing(ticket).begun
        queue.gone(ticket)


def test_neither_one_client_nor_the_networks_of_a_larger_one_fill_the_queue():
    queue = Line(each=3)
    joined = []
    for number in range(27):
        with contextlib.suppress(InputError):
            joined.append(queue.ready(f"2a00:1:2:{number // 3}::/64"))
    assert len(joined) == 12
    queue.ready("b")
    crowd = [queue.ready("") for _ in range(4)]  # those that cannot be told apart have no such limit
    assert queue.places(*crowd) == sorted(queue.places(*crowd))  # and stay in the order in which they came
    with pytest.raises(InputError, match="You have 3 paintings under way here"):
        queue.ready("2a00:1:2::/64")
    queue.gone(joined[0])
    queue.ready("2a00:1:2::/64")


def test_who_is_not_ready_is_passed_over_and_keeps_the_place():
    queue = Line()
    slow = now(queue.join("a"))
    quick, last = queue.ready("b", 20), queue.ready("c", 30)
    assert queue.places(quick, last) == [0, 2]
    assert now(queue.mark_ready(slow, 10)) == (False, 1, 20)
    assert queue.standing(last) == (False, 2, 30)
    queue.gone(quick)
    assert queue.places(slow, last) == [0, 1]


def test_painters_come_and_go_while_visitors_wait():
    queue = Line(waiting=1, painters=())
    one = queue.ready("")
    with pytest.raises(InputError, match="full: 1 people are waiting; try again in about a minute"):
        queue.ready("")
    queue.offer(["x"])
    two = queue.ready("")
    queue.offer(["x", "y"])
    assert [one.worker, two.worker] == ["x", "y"]
    three = queue.ready("")
    assert queue.standing(three) == (False, 1, 10)  # twenty seconds of work for two
    queue.offer(["y"])  # x has died, and its run is not yet told
    queue.gone(one)
    assert three.worker is None
    queue.gone(two)
    assert three.worker == "y"


def test_who_has_lost_a_painter_comes_first_and_what_has_shown_to_take_long_last():
    queue = Line(waiting=2, each=1)
    first = queue.ready("a")
    late, other = queue.ready("b", late=True), queue.ready("c")
    again = queue.ready("a", again=True)  # which is never turned away
    assert queue.places(again, other, late) == [1, 2, 3]
    queue.gone(first)
    assert queue.places(again, other) == [0, 1]


def test_of_equals_whoever_has_used_least_of_late_comes_first(clock):
    queue = Line()
    for client, seconds in (("a", 60), ("b", 20)):
        ticket = queue.ready(client)
        clock[0] += seconds
        queue.gone(ticket)
    queue.ready("c")
    waiting = [queue.ready(client) for client in ("a", "b", "d")]
    assert queue.places(*waiting) == [3, 2, 1]
    clock[0] += 300  # it is forgotten
    assert queue.places(*waiting) == [1, 2, 3]


def test_a_line_in_which_nothing_begins_is_stalled(clock):
    queue = Line()
    first = queue.ready("a")
    clock[0] += 50
    assert queue.stalled() == 0  # nobody waits
    queue.ready("b")
    clock[0] += 20
    queue.ready("c")
    assert queue.stalled() == 20
    queue.gone(first)
    assert queue.stalled() == 0
