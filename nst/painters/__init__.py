"""Where runs are painted: in this process, on ZeroGPU or in a cluster, each behind the same interface."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncGenerator
from typing import Any, Protocol

from nst.host.device import describe, pick_device
from nst.inputs import Inputs
from nst.optimization import estimate
from nst.optimization.loop import Controls
from nst.painters.pixels import Pixels
from nst.painters.previews import Preview
from nst.painters.scheduler import Standing
from nst.settings import Settings


class PainterDiedError(Exception):
    """A painter is gone, and with it what it had painted; the run can go on elsewhere."""


class Backend(Protocol):
    """A queue, and what paints for those whose turn it is; what has no text here is as in `Scheduler`.

    Whatever takes a ticket, but for `leave`, raises `PainterDiedError` if that is lost, or its painter.
    """

    async def join(self, client: str, *, again: bool = False) -> Any: ...
    async def mark_ready(self, ticket: Any, seconds: float) -> Standing: ...
    async def wait_for_change(self, ticket: Any, before: Standing) -> Standing: ...
    async def give_way(self, ticket: Any) -> None: ...
    async def leave(self, ticket: Any) -> None: ...
    async def counts(self) -> tuple[int, int]: ...

    def paint(
        self, ticket: Any, pictures: Inputs[Pixels], settings: Settings, controls: Controls
    ) -> AsyncGenerator[Preview]:
        """Paint for a ticket whose turn has come, to the final frame; InputError for an unusable picture."""

    async def forecast(self, width: int, height: int, settings: Settings) -> estimate.Forecast:
        """Return what a run will be; see `nst.optimization.estimate.forecast`."""
        return estimate.forecast(width, height, settings, describe(pick_device()))

    def busy_for(self) -> float:
        """Return for how many seconds the computation in progress has gone on, 0 if there is none here."""
        return 0.0

    def start(self) -> None:
        """Get ready, so that the first visitor does not wait for it."""
        return

    def close(self) -> None:
        """Give everything back."""
        return


def painter_of(waiting: int, each: int, busy: float) -> Backend:
    """Return where this host paints: what `NST_CLUSTER` names, a Space's ZeroGPU, or this process.

    So many runs may wait, so many of each client wait or paint, each for `busy` seconds while others wait.
    Raises InputError for a cluster that cannot be reached.
    """
    from nst.painters import zero
    from nst.painters.local import Local

    if address := os.environ.get("NST_CLUSTER", ""):
        if address == "local":
            # Read when Ray is imported. All of its ports are on the loopback address, as Ray has it on macOS
            # and Windows. Whoever has the token may run anything as this user, so it stands in this process's
            # environment, and not in a file that others can read.
            os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
            os.environ.setdefault("RAY_AUTH_MODE", "token")
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        from nst.painters.cluster import Cluster

        return Cluster(address, waiting, each, busy)
    return (zero.Zero if zero.ACTIVE else Local)(waiting, each, busy)
