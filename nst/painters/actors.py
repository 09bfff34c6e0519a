"""What runs in a Ray cluster: the painters, and the one scheduler for them."""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Generator
from typing import Any

import ray
from ray.exceptions import RayActorError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from nst.host.allocator import keep_freed
from nst.host.device import describe, pick_device
from nst.inputs import Inputs
from nst.optimization import estimate
from nst.optimization.loop import Controls
from nst.painters import PainterDiedError, scheduler
from nst.painters.local import frames, warm_up
from nst.painters.pixels import Pixels
from nst.painters.previews import Preview
from nst.painters.scheduler import Standing, Ticket
from nst.settings import Settings

log = logging.getLogger(__name__)

NAMESPACE, SCHEDULER = "painted-live", "scheduler"
# Seconds without a sign from its page process after which a run is nobody's.
_SILENT = 10.0
# Seconds between two looks at which painters there are, and after which a page hears of its tickets anyway.
_RECONCILE_SECONDS, _QUIET = 1.0, 1.0


class PainterActor:
    """Paints one run at a time; what is asked of it meanwhile is answered beside that."""

    def __init__(self) -> None:
        self._jobs: dict[str, _Job] = {}
        keep_freed()
        warm_up()

    def paint(
        self, number: str, pictures: Inputs[Pixels], settings: Settings, interval: float
    ) -> Generator[Preview, None, None]:
        """Yield frames."""
        job = self._jobs[number] = _Job()
        try:
            yield from frames(pictures, settings, Controls(job.ending, lambda: job.wished, interval))
        finally:
            del self._jobs[number]

    @ray.method(concurrency_group="control")
    def stop(self, number: str) -> None:
        """End a run at its next iteration."""
        if job := self._jobs.get(number):
            job.stopped = True

    @ray.method(concurrency_group="control")
    def steer(self, number: str, settings: Settings) -> None:
        """Go on with other settings."""
        if job := self._jobs.get(number):
            job.wished = settings

    @ray.method(concurrency_group="control")
    def heartbeat(self, number: str) -> None:
        """Know that somebody still takes the frames."""
        if job := self._jobs.get(number):
            job.seen = time.monotonic()

    @ray.method(concurrency_group="control")
    def forecast(self, width: int, height: int, settings: Settings) -> estimate.Forecast:
        """Return what a run will be."""
        return estimate.forecast(width, height, settings, describe(pick_device()))

    @ray.method(concurrency_group="control")
    def is_alive(self) -> bool:
        """Answer, which it does not before it is ready."""
        return True


_remote: Any = ray.remote  # whose own types know no groups
_HIRED = _remote(num_cpus=0, concurrency_groups={"control": 4})(PainterActor)


class _Job:
    """What is wanted of a run that is painted."""

    def __init__(self) -> None:
        self.stopped = False
        self.wished: Settings | None = None
        self.seen = time.monotonic()

    def ending(self) -> bool:
        return self.stopped or time.monotonic() - self.seen > _SILENT


class SchedulerActor:
    """Has the scheduler of all page processes, and a painter on each GPU, or on each node if there is none.

    Args:
        waiting: as for `nst.painters.scheduler.Scheduler`.
        environment: Ray's runtime environment for the painters.
    """

    def __init__(self, waiting: int, each: int, environment: dict[str, Any]) -> None:
        self.scheduler = scheduler.of_runs(waiting, each, ())
        self.environment = environment
        self._tickets: dict[str, tuple[Ticket, list[float]]] = {}  # each with when its page was last heard
        self._painters: dict[str, Any] = {}  # by place
        self._answers: dict[str, Any] = {}  # of `is_alive`
        self._ready: set[str] = set()
        self._offered: set[str] = set()  # of these, what the scheduler knows of
        self._lock = threading.RLock()
        threading.Thread(target=self._keep_reconciling, name="reconcile", daemon=True).start()

    # The queue

    def join(self, client: str, again: bool) -> str:
        """Queue up; return the number of the ticket."""
        ticket, number = self.scheduler.join(client, again=again), secrets.token_hex(8)
        with self._lock:
            self._tickets[number] = (ticket, [time.monotonic()])
        return number

    def mark_ready(self, number: str, seconds: float) -> Standing:
        """Let a run begin when its turn comes; return how it stands."""
        ticket = self._ticket(number)
        self.scheduler.mark_ready(ticket, seconds)
        return self.scheduler.standing(ticket)

    async def news(self, known: int, held: dict[str, float]) -> tuple[int, dict[str, Standing | None]]:
        """Wait until something has changed, though not for long; return how a page's tickets stand then.

        Args:
            known: what was returned with the news before, -1 to be told at once.
            held: all tickets of the page, each with the seconds that its run will still take if it has begun.

        Returns:
            What is known now, and the standing of each ticket, None where it is lost.
        """
        for number, seconds in held.items():
            with contextlib.suppress(PainterDiedError):
                ticket = self._ticket(number)
                if ticket.worker is not None:
                    ticket.seconds = seconds
        known = await self.scheduler.wait_for_change(known, _QUIET)
        standings: dict[str, Standing | None] = dict.fromkeys(held)
        for number in held:
            with contextlib.suppress(PainterDiedError):
                standings[number] = self.scheduler.standing(self._ticket(number))
        return known, standings

    def leave(self, number: str) -> None:
        """Give a ticket up."""
        with self._lock:
            ticket, _ = self._tickets.pop(number, (None, None))
        if ticket is not None:
            self.scheduler.leave(ticket)

    def counts(self) -> tuple[int, int]:
        """Return how many runs paint and how many wait."""
        return self.scheduler.counts()

    def _ticket(self, number: str) -> Ticket:
        with self._lock:
            if number not in self._tickets:  # another scheduler's, or forgotten
                raise PainterDiedError
            ticket, heard = self._tickets[number]
            heard[0] = time.monotonic()
        return ticket

    # The painters

    def painter_of(self, number: str) -> Any:
        """Return the painter of a run that has begun."""
        with self._lock:
            painter = self._painters.get(self._ticket(number).worker or "")
        if painter is None:
            raise PainterDiedError
        return painter

    def any_painter(self) -> Any:
        """Return one that is ready, None while there is none."""
        with self._lock:
            return next((self._painters[place] for place in self._ready), None)

    def report_dead(self, number: str) -> None:
        """Know that the painter of a run did not answer."""
        with self._lock:
            self._dismiss(self._ticket(number).worker or "")

    def _keep_reconciling(self) -> None:
        while True:
            try:
                self._reconcile()
            except Exception:
                log.exception("looking after the painters failed; it is tried again")
            time.sleep(_RECONCILE_SECONDS)

    def _reconcile(self) -> None:
        """Hire where there is a place, dismiss where there is none, and forget who is not heard of."""
        wanted = places(ray.nodes())
        with self._lock:
            for place in set(self._painters) - set(wanted):
                self._dismiss(place)
            for place, options in wanted.items():
                if place not in self._painters:
                    painter = _HIRED.options(runtime_env=self.environment, **options).remote()
                    self._painters[place], self._answers[place] = painter, painter.is_alive.remote()
            answers = {answer: place for place, answer in self._answers.items()}
        answered, _ = ray.wait(list(answers), num_returns=len(answers), timeout=0) if answers else ([], [])
        for answer in answered:
            place = answers[answer]
            try:
                ray.get(answer)
            except (RayActorError, RayError):
                with self._lock:
                    self._dismiss(place)
                continue
            with self._lock:
                if place in self._painters:
                    self._ready.add(place)
                    self._answers[place] = self._painters[place].is_alive.remote()
        self._offer()
        with self._lock:
            now = time.monotonic()
            silent = [number for number, (_, heard) in self._tickets.items() if now - heard[0] > _SILENT]
        for number in silent:
            self.leave(number)

    def _dismiss(self, place: str) -> None:
        self._painters.pop(place, None)
        self._answers.pop(place, None)
        self._ready.discard(place)
        self._offer()

    def _offer(self) -> None:
        """Have the scheduler know which painters there are."""
        with self._lock:
            if self._offered != self._ready:
                self._offered = set(self._ready)
                self.scheduler.offer(sorted(self._ready))


def places(nodes: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return where a painter may be, each with Ray's options for it: GPUs, or nodes if there are none.

    Args:
        nodes: as `ray.nodes` tells them.
    """
    alive = {node["NodeID"]: node["Resources"] for node in nodes if node["Alive"]}
    gpus = {
        f"{number}/{index}": {"num_gpus": 1, "scheduling_strategy": _on(number)}
        for number, resources in alive.items()
        for index in range(int(resources.get("GPU", 0)))
    }
    return gpus or {
        number: {"num_cpus": resources["CPU"], "scheduling_strategy": _on(number)}
        for number, resources in alive.items()
        if resources.get("CPU", 0) >= 1
    }


def _on(number: str) -> NodeAffinitySchedulingStrategy:
    return NodeAffinitySchedulingStrategy(number, soft=False)
