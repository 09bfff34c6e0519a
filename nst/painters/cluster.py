"""Painting in a Ray cluster, by painters that every page process of it shares."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncGenerator, Awaitable
from pathlib import Path
from typing import Any

import nst
from nst.errors import InputError
from nst.inputs import Inputs
from nst.optimization.estimate import Forecast
from nst.optimization.loop import Controls
from nst.painters import Backend, PainterDiedError
from nst.painters.pixels import Pixels
from nst.painters.previews import Preview
from nst.painters.scheduler import Standing
from nst.settings import Settings

try:
    import ray
    from ray.exceptions import RayActorError, RayError, RayTaskError
except ImportError as error:
    raise InputError("NST_CLUSTER needs Ray; install it with: pip install ray") from error

from nst.painters.actors import NAMESPACE, SCHEDULER, SchedulerActor

# Frames that a painter may be ahead of the page.
_AHEAD = 4
# Seconds between two looks at what the visitor wants, and between two signs that the page is still there.
_LOOK, _SIGN = 0.25, 1.0
# Seconds that a queue whose process has died may take to be there again.
_ANEW = 30.0
_GONE = "The painters of this host cannot be reached; try again in a minute."
_MEGABYTES = 512  # of memory shared between the processes of a cluster that is this host's own
_SENT_ALONG = ("NST_WEIGHTS", "NST_DEVICE", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


class Cluster(Backend):
    """The painters of a cluster, which get ready by themselves; InputError if it cannot be reached.

    Its address is "local" for one of this host's own, "auto" for the one that this host is part of, or its
    head's. The numbers are as for `painter_of`; what the page that comes first says counts for all.
    """

    def __init__(self, address: str, waiting: int, each: int, busy: float) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        own = address == "local"
        passed = {name: os.environ[name] for name in _SENT_ALONG if name in os.environ}
        environment: dict[str, Any] = {"env_vars": passed}
        if not own:
            environment["py_modules"] = [str(Path(nst.__file__).parent)]
        try:
            ray.init(
                address=address,
                namespace=NAMESPACE,
                log_to_driver=False,
                logging_level=logging.WARNING,
                runtime_env=environment,
                ignore_reinit_error=True,
                include_dashboard=False if own else None,
                object_store_memory=_MEGABYTES * 2**20 if own else None,
            )
        except (RayError, ConnectionError, ValueError, RuntimeError, OSError) as error:
            message = f"There is no Ray cluster at {address!r}; NST_CLUSTER is local, auto or an address."
            if "AF_UNIX" in str(error):
                message = "Ray's sockets have too long a path here; set TMPDIR to a short one, such as /tmp."
            raise InputError(message) from error
        shared = ray.remote(SchedulerActor).options(
            name=SCHEDULER, num_cpus=0, get_if_exists=True, lifetime="detached", max_restarts=-1
        )
        self.scheduler: Any = shared.remote(waiting, each, busy, environment)
        self._held: dict[str, float] = {}  # tickets of this page, with the seconds that they will still take
        self._beating: asyncio.Task[None] | None = None

    async def join(self, client: str, *, again: bool = False) -> str:
        # Nobody is turned away, and no painting given up, while Ray starts the queue anew.
        join = self.scheduler.join.options(max_task_retries=-1)
        try:
            ticket = await asyncio.wait_for(_asked(join.remote(client, again)), _ANEW)
        except (PainterDiedError, asyncio.TimeoutError) as error:
            raise InputError(_GONE) from error
        self._held[ticket] = 0.0
        if self._beating is None or self._beating.done():
            self._beating = asyncio.create_task(self._beat())
        return ticket

    async def mark_ready(self, ticket: str, seconds: float) -> Standing:
        self._held[ticket] = seconds
        return await _asked(self.scheduler.mark_ready.remote(ticket, seconds))

    async def wait_for_change(self, ticket: str, before: Standing) -> Standing:
        return await _asked(self.scheduler.wait_for_change.remote(ticket, before))

    async def give_way(self, ticket: str) -> None:
        await _asked(self.scheduler.give_way.remote(ticket))

    async def leave(self, ticket: str, died: bool = False) -> None:
        """Give a ticket up, be it because its painter has died."""
        if self._held.pop(ticket, None) is not None:
            with contextlib.suppress(PainterDiedError):
                await _asked(self.scheduler.leave.remote(ticket, died))

    async def _beat(self) -> None:
        """Tell the scheduler that this page is there, and how long its runs will still take."""
        while self._held:
            with contextlib.suppress(PainterDiedError):
                await _asked(self.scheduler.heartbeat.remote(self._held))
            await asyncio.sleep(_SIGN)

    async def paint(
        self, ticket: str, pictures: Inputs[Pixels], settings: Settings, controls: Controls
    ) -> AsyncGenerator[Preview]:
        painter = await _asked(self.scheduler.painter_of.remote(ticket))
        streaming = painter.paint.options(num_returns="streaming", _generator_backpressure_num_objects=_AHEAD)
        frames = streaming.remote(ticket, pictures, settings, controls.interval)
        controlling = asyncio.create_task(self._control(painter, ticket, controls))
        try:
            async for found in frames:
                preview: Preview = await _asked(found)
                if ticket in self._held:
                    self._held[ticket] = preview.frame.remaining
                yield preview
        except (RayActorError, PainterDiedError) as error:
            # Known there before the run queues up again, which else were sent to the same painter.
            await self.leave(ticket, died=True)
            raise PainterDiedError from error
        finally:
            controlling.cancel()
            # Of a run that has not begun; another one ends when its ticket is given up.
            with contextlib.suppress(RayError, TypeError, ValueError):
                ray.cancel(frames)

    async def _control(self, painter: Any, ticket: str, controls: Controls) -> None:
        """Tell a painter what its visitor wants."""
        before: tuple[bool, Settings | None] = (False, None)
        with contextlib.suppress(PainterDiedError):
            while True:
                wanted = controls.stop(), controls.steer() if controls.steer else None
                if wanted != before and await _asked(painter.control.remote(ticket, *wanted)):
                    before = wanted
                await asyncio.sleep(_LOOK)

    async def forecast(self, width: int, height: int, settings: Settings) -> Forecast:
        with contextlib.suppress(PainterDiedError):
            painter = await _asked(self.scheduler.painter_of.remote(None))
            return await _asked(painter.forecast.remote(width, height, settings))
        return await super().forecast(width, height, settings)

    async def counts(self) -> tuple[int, int]:
        with contextlib.suppress(PainterDiedError):
            return await _asked(self.scheduler.counts.remote())
        return 0, 0

    def close(self) -> None:
        """Leave the cluster; one of this host's own ends with it."""
        ray.shutdown()


async def _asked(answer: Awaitable[Any]) -> Any:
    """Return what an actor answers, or raise what it raised, PainterDiedError if it is gone."""
    try:
        return await answer
    except RayActorError as error:
        raise PainterDiedError from error
    except RayTaskError as error:
        if isinstance(error.cause, InputError | PainterDiedError | OSError):
            raise error.cause from error
        raise
