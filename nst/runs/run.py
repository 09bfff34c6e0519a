"""One visitor's run: how it stands, what is kept of it, and who follows it."""

from __future__ import annotations

import asyncio
import math
import secrets
import threading
import time
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from nst.inputs import Inputs
from nst.runs.listeners import Listeners
from nst.runs.loss_log import LossLog
from nst.runs.pictures import Source
from nst.runs.storage import RunFolder, SavedFrame, Upload
from nst.runs.stream import Update
from nst.settings import Settings

# "left" has been stopped as nobody followed it any more, "interrupted" by the end of its host.
State = Literal["waiting", "painting", "finished", "stopped", "left", "refused", "failed", "interrupted"]
# Seconds after which a follower is told that the run is still there, though nothing has changed.
_ALIVE = 5.0
_HUNG_UP = 3.0  # seconds without a program that has listened, after which its run ends


class Waiting(NamedTuple):
    """Where a run stands in the queue."""

    place: int  # 1 is the next
    seconds: int  # until its turn, as far as is known


class Run:
    """A run, from the click to the end of its files.

    Args:
        owner: the hash of its visitor's key, or "" for a program's.
        pictures: what it is painted from.
        drawings: PNG of the strokes that its masks were drawn with, by what they were drawn on.
        stop: set when it is to end, as by `request_stop`.
    """

    def __init__(
        self,
        owner: str,
        client: str,
        pictures: Inputs[Source],
        settings: Settings,
        folder: RunFolder,
        drawings: Mapping[str, bytes] | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self.id = secrets.token_hex(16)
        self.owner, self.client, self.folder = owner, client, folder
        self.pictures, self.settings, self.drawings = pictures, settings, dict(drawings or {})
        self.began = time.time()
        self.state: State = "waiting"
        self.message = ""  # a sentence on how it ended, if not well
        self.losses = LossLog()
        self.moves = bool(folder.frames and folder.frames[0].of_clip)  # whether it paints a clip
        self.latest: Waiting | Update | None = None
        self.removal: asyncio.TimerHandle | None = None  # of all it has made, once it was deleted
        self.wished: Settings | None = None  # as the sliders stand by now, if they were moved
        self._stop = stop or threading.Event()
        self._followers: dict[object, tuple[str, float]] = {}  # sessions, and since when
        self._last_followed = time.monotonic()  # by the last follower
        self._changed = asyncio.Event()

    @property
    def under_way(self) -> bool:
        """Whether it waits or is painted."""
        return self.state in ("waiting", "painting")

    @property
    def stopped(self) -> bool:
        """Whether it was asked to end."""
        return self._stop.is_set()

    @property
    def step(self) -> str:
        """What a step of it is called: of a clip it is one of its frames."""
        return "frame" if self.moves else "step"

    def file_name(self, kept: SavedFrame) -> str:
        """Return what to save a picture of it as, such as "cat-starry_night-2026-05-30.png"."""
        given = [picture for _, picture in self.pictures.pictures() if isinstance(picture, Upload)]
        names = [picture.short_name for picture in given[:2]]
        step = "" if kept is self.folder.finished else f"step-{kept.iteration}"
        day = time.strftime("%Y-%m-%d", time.localtime(self.began))
        return (
            "-".join(filter(None, (*(names if any(names) else ["painting"]), step, day)))
            + Path(kept.path).suffix
        )

    def request_stop(self) -> None:
        """Ask it to end at its next iteration, and to keep what it has."""
        self._stop.set()

    def expire(self) -> None:
        """End it as if everybody had long left."""
        self._last_followed = -math.inf
        self._followers.clear()

    def tell(self, latest: Waiting | Update) -> None:
        """Have its followers know what is new."""
        if isinstance(latest, Update):
            self.losses.add(latest.frame)
        self.latest = latest
        self._wake()

    def finish(self, state: State, message: str = "") -> None:
        """Have its followers know how it ended."""
        self.state, self.message = state, message
        self._wake()

    async def follow(self, session: str) -> AsyncGenerator[Waiting | Update | None, None]:
        """Yield what is newest, None if nothing has changed for a while, until the run has ended.

        Args:
            session: whose listeners it is for; when all have left for a while, the run ends.
        """
        last: Waiting | Update | None = None
        token = object()
        self._followers[token] = (session, time.monotonic())
        try:
            while True:
                changed = self._changed
                if self.latest is not last:
                    last = self.latest
                    yield last
                elif not self.under_way:
                    return
                else:
                    try:
                        await asyncio.wait_for(changed.wait(), _ALIVE)
                    except asyncio.TimeoutError:
                        yield None
        finally:
            if self._followers.pop(token, None):
                self._last_followed = time.monotonic()

    def alone_for(self, listeners: Listeners) -> float:
        """Return for how many seconds nobody has followed it."""
        followers = list(self._followers.values())  # at once: another thread asks
        if not followers:
            return time.monotonic() - self._last_followed
        # Gradio may go on for a while for a browser that has gone.
        return min(listeners.alone_for(session, since) for session, since in followers)

    def is_abandoned(self, listeners: Listeners, grace: float) -> bool:
        """Return whether nobody has followed it for so long that it ends.

        Args:
            grace: seconds for which a browser may be on its way back; a program that was killed, and listens
                no more, is not.
        """
        followers = list(self._followers.values())
        if not self.owner and followers and all(listeners.has_left(session) for session, _ in followers):
            grace = min(_HUNG_UP, grace)
        return self.alone_for(listeners) > grace

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
