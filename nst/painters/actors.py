"""What runs in a Ray cluster: the painters, and the one scheduler for them."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Generator
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from nst.host.allocator import keep_freed
from nst.host.device import describe, pick_device
from nst.inputs import Inputs
from nst.optimization import estimate
from nst.optimization.loop import Controls
from nst.painters import PainterDiedError
from nst.painters.local import frames, warm_up
from nst.painters.pixels import Pixels
from nst.painters.previews import Preview
from nst.painters.scheduler import Scheduler, Standing, Ticket
from nst.settings import Settings

log = logging.getLogger(__name__)

NAMESPACE, SCHEDULER = "painted-live", "scheduler"
# Seconds without a sign from its page process after which a run is nobody's.
_SILENT = 10.0
# Seconds between two looks at which painters there are.
_LOOK = 1.0


class PainterActor:
    """Paints one run at a time; what is asked of it meanwhile is answered beside that."""

    def __init__(self) -> None:
        # Of the run that is painted: whether it is to end, and with which settings it is to go on.
        self._wanted: dict[str, tuple[bool, Settings | None]] = {}
        keep_freed()
        warm_up()

    def paint(
        self, ticket: str, pictures: Inputs[Pixels], settings: Settings, interval: float
    ) -> Generator[Preview]:
        wanted = self._wanted = {ticket: (False, None)}
        controls = Controls(lambda: wanted[ticket][0], lambda: wanted[ticket][1], interval)
        yield from frames(pictures, settings, controls)

    @ray.method(concurrency_group="control")
    def control(self, ticket: str, stopped: bool, wished: Settings | None) -> bool:
        """End a run or go on with other settings, at its next iteration; return whether it is painted."""
        wanted = self._wanted
        if ticket not in wanted:
            return False
        wanted[ticket] = stopped, wished
        return True

    @ray.method(concurrency_group="control")
    def forecast(self, width: int, height: int, settings: Settings) -> estimate.Forecast:
        return estimate.forecast(width, height, settings, describe(pick_device()))

    @ray.method(concurrency_group="control")
    def is_alive(self) -> bool:
        """Answer, which it does not before it is ready."""
        return True


_remote: Any = ray.remote  # whose own types know no groups
_HIRED = _remote(num_cpus=0, concurrency_groups={"control": 4})(PainterActor)


class SchedulerActor:
    """Has the scheduler of all page processes, and a painter on each GPU, or on each node if there is none.

    Its tickets are known to the page processes by number; the environment is Ray's, for the painters.
    """

    def __init__(self, waiting: int, each: int, longest: float, environment: dict[str, Any]) -> None:
        self.scheduler = Scheduler(waiting, each, (), longest)
        self.environment = environment
        self._tickets: dict[str, Ticket] = {}
        self._heard: dict[str, float] = {}  # when the page of each ticket gave its last sign
        self._hired: dict[str, asyncio.Task[None]] = {}  # by place, what watches the painter there
        self._ready: dict[str, Any] = {}  # by place, the painters that can paint
        self._reconciling = asyncio.create_task(self._keep_reconciling())

    # The queue, as `Scheduler` has it

    async def join(self, client: str, again: bool) -> str:
        ticket, number = await self.scheduler.join(client, again=again), secrets.token_hex(8)
        self._tickets[number], self._heard[number] = ticket, time.monotonic()
        return number

    async def mark_ready(self, number: str, seconds: float) -> Standing:
        return await self.scheduler.mark_ready(self._ticket(number), seconds)

    async def wait_for_change(self, number: str, before: Standing) -> Standing:
        return await self.scheduler.wait_for_change(self._ticket(number), before)

    async def counts(self) -> tuple[int, int]:
        return await self.scheduler.counts()

    async def leave(self, number: str, died: bool = False) -> None:
        """Give a ticket up, and end its run if that still goes on, unless its painter has died."""
        ticket = self._tickets.pop(number, None)
        if ticket is None:
            return
        del self._heard[number]
        if died:
            self._dismiss(ticket.worker or "")
        elif painter := self._ready.get(ticket.worker or ""):
            painter.control.remote(number, True, None)
        await self.scheduler.leave(ticket)

    async def give_way(self, number: str) -> None:
        ticket = self._ticket(number)
        if painter := self._ready.get(ticket.worker or ""):
            painter.control.remote(number, True, None)
        await self.scheduler.give_way(ticket)

    async def heartbeat(self, tickets: dict[str, float]) -> None:
        """Know that a page is there, with these tickets; each run will still take so many seconds."""
        for number in tickets.keys() & self._tickets.keys():
            self._tickets[number].seconds, self._heard[number] = tickets[number], time.monotonic()

    def _ticket(self, number: str) -> Ticket:
        if number not in self._tickets:  # another scheduler's, or forgotten
            raise PainterDiedError
        return self._tickets[number]

    # The painters

    async def painter_of(self, number: str | None) -> Any:
        """Return the painter of a run that has begun, or any; raise PainterDiedError if there is none."""
        place = next(iter(self._ready), None) if number is None else self._ticket(number).worker
        if place not in self._ready:
            raise PainterDiedError
        return self._ready[place]

    async def _keep_reconciling(self) -> None:
        while True:
            try:
                await self._reconcile()
            except Exception:
                log.exception("looking after the painters failed; it is tried again")
            await asyncio.sleep(_LOOK)

    async def _reconcile(self) -> None:
        """Hire where there is a place, dismiss where there is none, and forget who is not heard of."""
        wanted = places(ray.nodes())
        for place in self._hired.keys() - wanted.keys():
            self._dismiss(place)
        for place in wanted.keys() - self._hired.keys():
            painter = _HIRED.options(runtime_env=self.environment, **wanted[place]).remote()
            self._hired[place] = asyncio.create_task(self._watch(place, painter))
        now = time.monotonic()
        for number in [number for number, heard in self._heard.items() if now - heard > _SILENT]:
            await self.leave(number)

    async def _watch(self, place: str, painter: Any) -> None:
        """Have a painter at work from when it first answers until it dies."""
        try:
            while await painter.is_alive.remote():
                if place not in self._ready:
                    self._ready[place] = painter
                    self.scheduler.offer(self._ready)
                await asyncio.sleep(_LOOK)
        except RayError:
            self._dismiss(place)

    def _dismiss(self, place: str) -> None:
        if watch := self._hired.pop(place, None):
            watch.cancel()
        if self._ready.pop(place, None):
            self.scheduler.offer(self._ready)


def places(nodes: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return where a painter may be, each with Ray's options for it: GPUs, or nodes if there are none."""
    gpus, cpus = {}, {}
    for number, resources in ((node["NodeID"], node["Resources"]) for node in nodes if node["Alive"]):
        here = {"scheduling_strategy": NodeAffinitySchedulingStrategy(number, soft=False)}
        for index in range(int(resources.get("GPU", 0))):
            gpus[f"{number}/{index}"] = {**here, "num_gpus": 1}
        if resources.get("CPU", 0) >= 1:
            cpus[number] = {**here, "num_cpus": resources["CPU"]}
    return gpus or cpus
