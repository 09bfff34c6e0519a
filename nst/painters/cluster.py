"""Painting in a Ray cluster, by painters that every page process of it shares."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable
from pathlib import Path
from typing import Any, TypeVar

import nst
from nst.errors import InputError
from nst.host.device import describe, pick_device
from nst.inputs import Inputs
from nst.optimization import estimate
from nst.optimization.loop import Controls
from nst.painters import PainterDiedError
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
_LOOK, _SIGN = 0.25, 2.0
# Seconds that a queue whose process has died may take to be there again.
_ANEW = 30.0
_GONE = "The painters of this host cannot be reached; try again in a minute."
_MEGABYTES = 512  # of memory shared between the processes of a cluster that is this host's own
_SENT_ALONG = ("NST_WEIGHTS", "NST_DEVICE", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")

log = logging.getLogger(__name__)

_Found = TypeVar("_Found")


class Cluster:
    """The painters of a cluster.

    Args:
        address: "local" for a cluster of this host's own, "auto" for the one that it is part of, or the
            address of its head.
        waiting: how many runs may wait; what the page process that comes first says counts for all.
        each: how many of a client's runs may wait or paint.

    Raises:
        InputError: it cannot be reached.
    """

    def __init__(self, address: str, waiting: int, each: int) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        own = address == "local"
        given: dict[str, Any] = {"object_store_memory": _MEGABYTES * 2**20} if own else {}
        passed = {name: os.environ[name] for name in _SENT_ALONG if name in os.environ}
        environment: dict[str, Any] = {"env_vars": passed}
        if own:
            given["include_dashboard"] = False
        else:
            environment["py_modules"] = [str(Path(nst.__file__).parent)]
        try:
            ray.init(
                address=address,
                namespace=NAMESPACE,
                log_to_driver=False,
                logging_level=logging.WARNING,
                runtime_env=environment,
                ignore_reinit_error=True,
                **given,
            )
        except (RayError, ConnectionError, ValueError, RuntimeError, OSError) as error:
            if "AF_UNIX" in str(error):
                raise InputError(
                    "Ray's sockets have too long a path here; set TMPDIR to a short one, such as /tmp."
                ) from error
            raise InputError(
                f"There is no Ray cluster at {address!r}; NST_CLUSTER is local, auto or an address."
            ) from error
        shared = ray.remote(SchedulerActor).options(
            name=SCHEDULER, num_cpus=0, get_if_exists=True, lifetime="detached", max_restarts=-1
        )
        self.scheduler: Any = shared.remote(waiting, each, environment)
        self._held: dict[str, float] = {}  # tickets of this page, with the seconds that they will still take
        self._told: dict[str, Standing | None] = {}  # how they stand, None where one is lost
        self._news = asyncio.Event()  # set when that has been told
        self._listening: asyncio.Task[None] | None = None

    async def join(self, client: str, *, again: bool = False) -> str:
        """Queue up, with the visitors of all page processes."""
        began = time.monotonic()
        while True:
            try:
                ticket = await _asked(self.scheduler.join.remote(client, again))
                break
            except PainterDiedError as error:
                # A painting is not given up while the queue starts anew.
                if not again or time.monotonic() - began > _ANEW:
                    raise InputError(_GONE) from error
                await asyncio.sleep(_SIGN)
        self._held[ticket] = 0.0
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen())
        return ticket

    async def mark_ready(self, ticket: str, seconds: float) -> Standing:
        """Let a run begin when its turn comes."""
        self._held[ticket] = seconds
        return await _asked(self.scheduler.mark_ready.remote(ticket, seconds))

    async def wait_for_change(self, ticket: str, before: Standing) -> Standing:
        """Wait until a run stands otherwise, or for a while."""
        if self._told.get(ticket, before) == before:
            await self._news.wait()
        standing = self._told.get(ticket, before)
        if standing is None:
            raise PainterDiedError
        return standing

    async def leave(self, ticket: str) -> None:
        """Give a ticket up."""
        if self._held.pop(ticket, None) is not None:
            await _asked(self.scheduler.leave.remote(ticket))

    async def _listen(self) -> None:
        """Ask how all of this page's tickets stand, in one question, answered when one changes."""
        known = -1
        while self._held:
            asked = dict(self._held)
            try:
                known, self._told = await _asked(self.scheduler.news.remote(known, asked))
            except Exception as error:
                if not isinstance(error, PainterDiedError):
                    log.exception("the scheduler does not tell how its tickets stand")
                known, self._told = -1, dict.fromkeys(asked)
                await asyncio.sleep(_LOOK)
            if self._held.keys() - asked:
                known = -1  # somebody came meanwhile, and is to be told at once
            news, self._news = self._news, asyncio.Event()
            news.set()
        self._told = {}

    async def paint(
        self, ticket: str, pictures: Inputs[Pixels], settings: Settings, controls: Controls
    ) -> AsyncGenerator[Preview, None]:
        """Paint with the painter that the ticket names."""
        painter = await _asked(self.scheduler.painter_of.remote(ticket))
        job = secrets.token_hex(8)
        streaming = painter.paint.options(num_returns="streaming", _generator_backpressure_num_objects=_AHEAD)
        frames = streaming.remote(job, pictures, settings, controls.interval)
        beside, ended = asyncio.create_task(self._beside(painter, job, controls)), False
        try:
            async for found in frames:
                preview: Preview = await _asked(found)
                self._held[ticket], ended = preview.frame.remaining, preview.frame.final
                yield preview
        except (RayActorError, PainterDiedError) as error:
            # Known there before the run queues up again, which else were sent to the same painter.
            with contextlib.suppress(PainterDiedError):
                await _asked(self.scheduler.report_dead.remote(ticket))
            raise PainterDiedError from error
        except RayError as error:
            raise _told(error) from error
        finally:
            beside.cancel()
            if not ended:
                with contextlib.suppress(RayError, TypeError, ValueError):
                    painter.stop.remote(job)
                    ray.cancel(frames)

    async def _beside(self, painter: Any, job: str, controls: Controls) -> None:
        """Tell a painter what its visitor wants, and that the page is still there."""
        steered: Settings | None = None
        since = 0.0
        with contextlib.suppress(PainterDiedError):
            while True:
                wanted = controls.steer() if controls.steer else None
                if controls.stop():
                    await _asked(painter.stop.remote(job))
                if wanted is not None and wanted != steered:
                    steered = wanted
                    await _asked(painter.steer.remote(job, wanted))
                since += _LOOK
                if since >= _SIGN:
                    since = 0.0
                    await _asked(painter.heartbeat.remote(job))
                await asyncio.sleep(_LOOK)

    async def forecast(self, width: int, height: int, settings: Settings) -> estimate.Forecast:
        """Return what a run will be, as one of the painters sees it."""
        with contextlib.suppress(PainterDiedError):
            painter = await _asked(self.scheduler.any_painter.remote())
            if painter is not None:
                return await _asked(painter.forecast.remote(width, height, settings))
        return estimate.forecast(width, height, settings, describe(pick_device()))

    async def counts(self) -> tuple[int, int]:
        """Return how many runs of all page processes paint and how many wait."""
        try:
            return await _asked(self.scheduler.counts.remote())
        except PainterDiedError:
            return 0, 0

    def busy_for(self) -> float:
        """Nothing is computed here."""
        return 0.0

    def start(self) -> None:
        """The painters get ready by themselves."""

    def close(self) -> None:
        """Leave the cluster; one of this host's own ends with it."""
        ray.shutdown()


async def _asked(answer: Awaitable[_Found]) -> _Found:
    """Return what an actor answers.

    Raises:
        InputError: that it raised.
        PainterDiedError: it is gone.
    """
    try:
        return await answer
    except RayActorError as error:
        raise PainterDiedError from error
    except RayError as error:
        raise _told(error) from error


def _told(error: RayError) -> Exception:
    """Return what an actor raised, without what Ray writes around it."""
    cause = error.cause if isinstance(error, RayTaskError) else None
    return cause if isinstance(cause, InputError | PainterDiedError | OSError) else error
