"""What all visitors of a host share."""

from __future__ import annotations

import anyio
import gradio as gr

from nst.guard.budgets import Budgets
from nst.guard.clients import Call
from nst.painters import painter_of
from nst.painters.scheduler import Scheduler
from nst.runs.decoder import Decoder
from nst.runs.limits import Limits
from nst.runs.registry import Registry
from nst.runs.run import Listeners
from nst.runs.storage import Files

# Seconds after which a line in which nothing moves, or an iteration that goes on, is taken for stuck.
_STALLED, _AT_WORK = 60.0, 180.0
_AT_HAND = 3.0  # seconds in which one of Gradio's threads is free


class Service:
    """The runs, the files, the decoder and the budgets of one host."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.decoder = Decoder(frames=limits.frames, clip_size=limits.clip_size)
        self.files = Files(limits.disk, limits.keep, self.decoder.forget)
        self.budgets = Budgets()
        # Films, crops, looks inside: each takes memory, and processors from whoever paints.
        self.side_work = Scheduler(
            6,
            2,
            ("first", "second"),
            enough="You have asked for that already; it is on its way.",
            full="This host is busy with other visitors; try again in a minute.",
        )
        self.listeners = Listeners()
        self.calls: dict[str, Call] = {}  # assistants', by the word that each is known by
        self.painter = painter_of(limits.waiting, limits.each, limits.busy)
        self.runs = Registry(
            self.painter, self.files, self.decoder, self.listeners, limits.grace, limits.busy
        )
        self.runs.adopt()  # before anybody can ask for what is there

    def close(self) -> None:
        """End what runs beside the page, and remove all files."""
        self.runs.close()
        self.painter.close()
        self.files.close()

    async def health(self, demo: gr.Blocks) -> dict[str, str | int]:
        """Return how many paint and wait, and whether somebody who came now would be served.

        "ok": yes; "full": not before somebody leaves; "stuck": what everybody needs does not move.
        """
        painting, waiting = await self.painter.counts()
        status = "full" if waiting >= self.limits.waiting else "ok"
        stuck = (
            max(self.decoder.stalled(), self.side_work.stalled()) > _STALLED
            or self.painter.busy_for() > _AT_WORK
        )
        if not stuck:
            with anyio.move_on_after(_AT_HAND) as scope:
                # As Gradio does for every event.
                await anyio.to_thread.run_sync(int, limiter=demo.limiter, abandon_on_cancel=True)
            stuck = scope.cancelled_caught
        return {"status": "stuck" if stuck else status, "painting": painting, "waiting": waiting}
