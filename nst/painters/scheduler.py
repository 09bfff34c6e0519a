"""The scheduler: who is served, who waits, and how long; for painters, decoders and work beside them.

All that it does is done in one event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import ipaddress
import math
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import NamedTuple

from nst.errors import InputError

_REFILL = 0.25  # seconds of work that are forgotten in a second
_AGAIN = 1.0  # seconds after which a job that waits is told anew how long it has to wait


@functools.lru_cache(maxsize=4096)
def accounts(client: str) -> tuple[tuple[str, int], ...]:
    """Return the accounts that a client's requests are charged to, with how many clients' share each has.

    A network of version 6 (/64) is a part of a larger one (/48), of which anybody can have thousands. Clients
    that cannot be told apart are many people: they have one account together.
    """
    if not client:
        return (("", 12),)
    try:
        network = ipaddress.IPv6Network(client)
    except ValueError:  # of version 4, or none
        return ((client, 1),)
    return ((client, 1), (str(network.supernet(new_prefix=48)), 4))


@dataclass(eq=False)
class Ticket:
    """One job's place in a line."""

    client: str  # whoever cannot be told from others is ""
    seconds: float = 0.0  # how long the job will take from now on, as far as is known
    ready: bool = False  # it could begin at once
    again: bool = False  # it has lost its worker
    late: bool = False  # it has shown to take long
    worker: str | None = None  # who does it, once it has begun
    began: float = 0.0

    @property
    def account(self) -> str:
        """The widest account that it is charged to."""
        return accounts(self.client)[-1][0]


class Standing(NamedTuple):
    """How a job stands."""

    begun: bool
    place: int = 0  # 1 is the next; 0 of one that had to go for somebody who had less
    seconds: float = 0.0  # until its turn, as far as is known


class Scheduler:
    """Gives each worker one job at a time; the others wait.

    Whoever has no job that is done or waits comes before anybody's second, and so on; of equals, whoever has
    used least of late, or came first. Who is not ready when a worker is free is passed over, and keeps the
    place. In a full line the newest job of whoever has most waiting goes.

    So many jobs may be `waiting`, and so many of `each` client be done or wait; while others wait a job takes
    `longest` seconds at most. `enough` is said to a client who has {each}, `full` to who does not get in.
    """

    def __init__(
        self,
        waiting: int,
        each: int,
        workers: Collection[str],
        longest: float = math.inf,
        *,
        enough: str = "You have {each} paintings under way here; stop one or let it finish first.",
        full: str = "This host is full: {waiting} people are waiting; try again in about {minutes}.",
    ) -> None:
        self.most, self.each, self.longest, self.enough, self.full = waiting, each, longest, enough, full
        self._workers = list(workers)
        self._tickets: list[Ticket] = []
        self._even: dict[str, float] = {}  # by account: when the work that it has used will be forgotten
        self._moved = 0.0  # when a job last began, or the line ceased to be empty
        self._change = asyncio.Event()  # set, and replaced, when somebody has left or lost the place

    @contextlib.asynccontextmanager
    async def place(self, client: str, *, late: bool = False) -> AsyncIterator[None]:
        """Have a worker while the context lasts; raise InputError as `join`, or if the job had to go."""
        ticket = await self.join(client, late=late)
        try:
            standing = await self.mark_ready(ticket, 0.0)
            while not standing.begun:
                if not standing.place:
                    raise InputError(self._full())
                standing = await self.wait_for_change(ticket, standing)
            yield
        finally:
            await self.leave(ticket)

    async def join(self, client: str, *, again: bool = False, late: bool = False) -> Ticket:
        """Queue up until `leave`; raise InputError if the line is full, or has enough jobs of this client.

        `again`: it had begun and lost its worker, so it comes before all who wait. `late`: it has shown to
        take long, so it comes after all others. A client that cannot be told from others is "".
        """
        ticket = Ticket(client, again=again, late=late)
        if again:
            self._tickets.insert(0, ticket)
            self._changed()
            return ticket
        of = Counter(account for other in self._tickets for account, _ in accounts(other.client))
        if client and any(of[account] >= self.each * share for account, share in accounts(client)):
            raise InputError(self.enough.format(each=self.each))
        free = max(0, len(self._workers) - len(self._begun()))
        if len(self._waiting()) >= self.most + free:
            self._make_room(ticket)
        if not self._waiting():
            self._moved = time.monotonic()
        self._tickets.append(ticket)
        return ticket

    async def leave(self, ticket: Ticket) -> None:
        """Give a place up, whether the job is done or waits, if it is not given up yet."""
        if ticket not in self._tickets:
            return
        self._tickets.remove(ticket)
        self._charge(ticket)
        self._begin_next()
        self._changed()

    async def give_way(self, ticket: Ticket) -> None:
        """Have a job that is done wait again, after all who come before its client by now."""
        if ticket.worker is not None:
            self._charge(ticket)
            self._tickets.remove(ticket)
            self._tickets.append(ticket)
            ticket.worker = None
            self._begin_next()
            self._changed()

    def _charge(self, ticket: Ticket) -> None:
        if ticket.worker is not None and ticket.client:
            now, (account, share) = time.monotonic(), accounts(ticket.client)[-1]
            used = (now - ticket.began) / share
            self._even[account] = max(now, self._even.get(account, now)) + used / _REFILL
            self._even = {one: when for one, when in self._even.items() if when > now}

    async def mark_ready(self, ticket: Ticket, seconds: float) -> Standing:
        """Let a job begin when its turn comes, which takes so long, 0 if unknown; return how it stands."""
        ticket.ready, ticket.seconds = True, seconds
        self._begin_next()
        return self._standing(ticket)

    async def wait_for_change(self, ticket: Ticket, before: Standing) -> Standing:
        """Wait until a job stands otherwise than before, or for a while; return how it stands."""
        if self._standing(ticket) == before:
            # Before Python 3.12 `asyncio.wait_for` loses a cancellation that comes together with the change.
            timer = asyncio.get_running_loop().call_later(_AGAIN, self._changed)
            try:
                await self._change.wait()
            finally:
                timer.cancel()
        return self._standing(ticket)

    async def counts(self) -> tuple[int, int]:
        """Return how many jobs are done now and how many wait."""
        return len(self._begun()), len(self._waiting())

    def stalled(self) -> float:
        """Return for how many seconds somebody waits and nothing begins."""
        return time.monotonic() - self._moved if self._waiting() else 0.0

    def offer(self, workers: Collection[str]) -> None:
        """Have other workers from now on; a job whose worker is gone keeps its turn until it leaves."""
        self._workers = list(workers)
        self._begin_next()
        self._changed()

    def _make_room(self, ticket: Ticket) -> None:
        """Have the newest job go of whoever has most waiting; InputError if that is the ticket's client."""
        waiting = self._waiting()
        load: defaultdict[str, float] = defaultdict(float)
        for other in (*waiting, ticket):
            account, share = accounts(other.client)[-1]
            load[account] += 1 / share
        newest = max(reversed(waiting), key=lambda other: load[other.account], default=ticket)
        if load[ticket.account] >= load[newest.account]:
            raise InputError(self._full())
        self._tickets.remove(newest)
        self._changed()

    def _standing(self, ticket: Ticket) -> Standing:
        if ticket not in self._tickets:
            return Standing(False, 0, self._seconds(self._tickets))  # of all that are there
        if ticket.worker is not None:
            return Standing(True)
        # All that wait, if it began in this moment.
        waiting = self._in_order()
        place = waiting.index(ticket)
        return Standing(False, place + 1, self._seconds([*waiting[:place], *self._begun()]))

    def _in_order(self) -> list[Ticket]:
        """Return those that wait, whoever comes next first."""
        now, of = time.monotonic(), Counter(ticket.account for ticket in self._begun())
        ranks: dict[Ticket, tuple[float, ...]] = {}
        for ticket in self._waiting():
            even = max(now, self._even.get(ticket.account, now))
            rank = (of[ticket.account], even) if ticket.client else (0, now)
            ranks[ticket] = (ticket.late - ticket.again, *rank)
            of[ticket.account] += 1
        return sorted(ranks, key=ranks.__getitem__)

    def _begun(self) -> list[Ticket]:
        return [ticket for ticket in self._tickets if ticket.worker is not None]

    def _waiting(self) -> list[Ticket]:
        return [ticket for ticket in self._tickets if ticket.worker is None]

    def _seconds(self, tickets: Collection[Ticket]) -> float:
        """Return how long all of these will take together."""
        return sum(min(ticket.seconds, self.longest) for ticket in tickets) / max(1, len(self._workers))

    def _full(self) -> str:
        return self.full.format(waiting=self.most, minutes=minutes(self._seconds(self._tickets)))

    def _begin_next(self) -> None:
        at_work = {ticket.worker for ticket in self._tickets}
        free = [worker for worker in self._workers if worker not in at_work]
        while free and (ticket := next((one for one in self._in_order() if one.ready), None)):
            ticket.worker, ticket.began = free.pop(0), time.monotonic()
            self._moved = ticket.began

    def _changed(self) -> None:
        self._change.set()
        self._change = asyncio.Event()


def minutes(seconds: float) -> str:
    """Return seconds as whole minutes, in words."""
    count = max(1, math.ceil(seconds / 60))
    return "a minute" if count == 1 else f"{count} minutes"
