"""Who paints and who waits."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from conftest import complete

from nst import InputError
from nst.page import status
from nst.painters import scheduler
from nst.painters.scheduler import Scheduler, Ticket, of_runs


def ready(queue: Scheduler, visitor: str, seconds: float, **more: bool) -> Ticket:
    turn = queue.join(visitor, **more)
    queue.mark_ready(turn, seconds)
    return turn


def painting(*turns: Ticket) -> list[bool]:
    return [turn.worker is not None for turn in turns]


def test_one_paints_and_the_others_wait_in_their_order():
    queue = of_runs(waiting=3, each=3)
    assert queue.counts() == (0, 0)
    one, two, three = (ready(queue, *given) for given in (("a", 30), ("b", 20), ("c", 10)))
    assert painting(one, two, three) == [True, False, False]
    assert queue.counts() == (1, 2)
    assert queue.standing(three)[1:] == (2, 50)
    one.seconds = 5  # it gets on
    assert queue.standing(three)[1:] == (2, 25)
    queue.leave(two)  # somebody gives up
    assert painting(three) == [False]
    assert queue.standing(three)[1:] == (1, 5)
    queue.leave(one)
    assert painting(three) == [True]
    queue.leave(three)
    assert queue.counts() == (0, 0)


def test_a_full_host_says_so_and_when_to_come_back():
    queue = of_runs(waiting=2, each=9)
    turns = [ready(queue, "", 50) for _ in range(3)]
    with pytest.raises(InputError, match="full: 2 people are waiting; try again in about 3 minutes"):
        queue.join("")
    queue.leave(turns[1])
    queue.join("")


def test_whoever_has_nothing_painting_comes_before_anybodys_second():
    queue = of_runs(waiting=20, each=3)
    mine = [ready(queue, "a", 100) for _ in range(3)]
    other, third = ready(queue, "b", 10), ready(queue, "c", 10)
    assert [queue.standing(turn).place for turn in (other, third, mine[1], mine[2])] == [1, 2, 3, 4]
    assert queue.standing(other)[1:] == (1, 100)
    order = []
    for _ in range(5):
        now = next(turn for turn in (*mine, other, third) if turn.worker is not None)
        order.append(now)
        queue.leave(now)
        now.worker = None
    assert order == [mine[0], other, third, mine[1], mine[2]]


def test_those_who_cannot_be_told_apart_keep_the_order_in_which_they_came():
    queue = of_runs(waiting=20, each=1)
    first, *crowd = [ready(queue, "", 10) for _ in range(4)]
    queue.leave(first)
    assert painting(*crowd) == [True, False, False]
    assert [queue.standing(turn).place for turn in crowd[1:]] == [1, 2]


def test_a_full_queue_sends_away_the_newest_of_whoever_has_most():
    queue = of_runs(waiting=3, each=4)
    painted = ready(queue, "a", 60)
    waiting = [ready(queue, "a", 60) for _ in range(3)]
    other = ready(queue, "b", 10)
    assert queue.standing(waiting[2])[1:] == (0, 190)  # it had to go
    assert [queue.standing(turn).place for turn in (other, *waiting[:2])] == [1, 2, 3]
    assert painted.worker is not None
    with pytest.raises(InputError, match="This host is full"):
        queue.join("a")


def test_the_networks_of_a_larger_one_fill_no_queue():
    queue = of_runs(waiting=20, each=3)
    joined = 0
    for number in range(9):
        for _ in range(3):
            try:
                ready(queue, f"2a00:1:2:{number}::/64", 60)
                joined += 1
            except InputError as error:
                assert "paintings under way here" in str(error)
    assert joined == 12


def test_one_visitor_cannot_fill_the_queue():
    queue = of_runs(waiting=20, each=2)
    mine = [queue.join("a") for _ in range(2)]
    with pytest.raises(InputError, match="You have 2 paintings under way"):
        queue.join("a")
    for visitor in ("b", "", "", ""):
        queue.join(visitor)
    queue.leave(mine[0])
    queue.join("a")


def test_who_is_not_ready_is_passed_over_and_keeps_the_place():
    queue = of_runs(waiting=5, each=5)
    slow = queue.join("a")
    assert queue.counts() == (0, 1)
    quick = ready(queue, "b", 20)
    assert painting(slow, quick) == [False, True]
    queue.mark_ready(slow, 10)
    assert painting(slow) == [False]
    assert queue.standing(slow)[1:] == (1, 20)
    last = ready(queue, "c", 30)
    assert queue.standing(last)[1:] == (2, 30)
    queue.leave(quick)
    assert painting(slow, last) == [True, False]


def test_each_painter_has_one_run_and_who_waits_is_told_accordingly():
    queue = of_runs(waiting=5, each=5, painters=("x", "y"))
    one, two, three, four = (ready(queue, "", 10) for _ in range(4))
    assert {one.worker, two.worker} == {"x", "y"}
    assert queue.counts() == (2, 2)
    assert queue.standing(four)[1:] == (2, 15)  # thirty seconds of work for two
    queue.leave(two)
    assert three.worker == "y"


def test_painters_come_and_go_while_visitors_wait():
    queue = of_runs(waiting=1, each=5, painters=())
    one = ready(queue, "", 10)
    with pytest.raises(InputError, match="full"):
        queue.join("")
    queue.offer(["x"])
    assert one.worker == "x"
    two = ready(queue, "", 10)
    queue.offer(["x", "y"])
    assert two.worker == "y"
    queue.offer(["y"])  # x has died, and its run is not yet told
    three = ready(queue, "", 10)
    queue.leave(one)
    assert painting(three) == [False]
    queue.leave(two)
    assert three.worker == "y"


def test_who_has_lost_a_painter_comes_before_all_who_wait_and_is_never_turned_away():
    queue = of_runs(waiting=1, each=1)
    first, waiting = ready(queue, "a", 10), ready(queue, "b", 10)
    again = ready(queue, "a", 10, again=True)
    queue.leave(first)
    assert painting(again, waiting) == [True, False]


def test_who_waits_is_told_place_and_time():
    assert "you're next · about 25 s to wait" in status.waiting(1, 26)
    assert "2 ahead of you · about 2 min to wait" in status.waiting(3, 115)
    assert "not known" in status.waiting(1, 0)


def test_of_equals_whoever_has_used_least_of_late_comes_first(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(scheduler.time, "monotonic", lambda: now[0])
    queue = of_runs(waiting=20, each=3)
    for client, seconds in (("a", 60), ("b", 20)):
        ticket = ready(queue, client, 10)
        now[0] += seconds
        queue.leave(ticket)
    ready(queue, "c", 10)
    waiting = [ready(queue, client, 10) for client in ("a", "b", "d")]
    assert [queue.standing(ticket).place for ticket in waiting] == [3, 2, 1]
    now[0] += 300  # it is forgotten
    assert [queue.standing(ticket).place for ticket in waiting] == [1, 2, 3]


def test_what_has_shown_to_take_long_comes_last():
    queue = of_runs(waiting=20, each=3)
    ready(queue, "a", 10)
    late, other, again = (
        ready(queue, "b", 10, late=True),
        ready(queue, "a", 10),
        ready(queue, "a", 10, again=True),
    )
    assert [queue.standing(ticket).place for ticket in (again, other, late)] == [1, 2, 3]


def test_a_line_in_which_nothing_begins_is_stalled(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(scheduler.time, "monotonic", lambda: now[0])
    queue = of_runs(waiting=20, each=3)
    first = ready(queue, "a", 10)
    now[0] += 50
    assert queue.stalled() == 0  # nobody waits
    second = ready(queue, "b", 10)
    assert queue.stalled() == 0
    now[0] += 20
    ready(queue, "c", 10)
    assert queue.stalled() == 20
    queue.leave(first)
    assert queue.stalled() == 0
    queue.leave(second)


def side_work(**more: int) -> Scheduler:
    given = {"waiting": 3, "each": 2, "workers": ("x",)} | more
    return Scheduler(**given, enough="That is on its way.", full="The host is busy.")


def test_work_beside_the_paintings_has_few_places_and_one_client_not_all():
    work, done = side_work(), []

    async def asked(client: str) -> None:
        async with work.place(client):
            done.append(client)
            await asyncio.sleep(0.01)
            assert done[-1] == client  # one at a time

    async def all_of_them() -> list[BaseException | None]:
        return await asyncio.gather(*map(asked, ("a", "a", "a", "b", "c", "d")), return_exceptions=True)

    async def twice() -> list[list[str]]:
        return [[str(one) for one in await all_of_them()] for _ in range(2)]

    for said in complete(twice()):  # all have given their places back
        assert said == ["None", "None", "That is on its way.", "None", "None", "The host is busy."]
    assert done[1] != "a"  # whoever has nothing comes before a second


def test_whoever_waits_and_has_to_go_is_told():
    work = side_work(each=9)

    async def crowd() -> list[BaseException | None]:
        async def asked(client: str) -> None:
            async with work.place(client):
                await asyncio.sleep(0.05)

        return await asyncio.gather(*map(asked, ("a", "a", "a", "a", "b")), return_exceptions=True)

    assert [str(one) for one in complete(crowd())] == ["None", "None", "None", "The host is busy.", "None"]


def test_work_of_the_networks_of_a_larger_one_is_limited_too():
    work, joined = side_work(waiting=100, each=1), 0
    for number in range(20):
        with contextlib.suppress(InputError):
            work.join(f"2a00:1:2:{number:x}::/64")
            joined += 1
    assert joined == 4
