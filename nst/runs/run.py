"""One visitor's run: how it stands, what is kept of it, and who follows it."""

from __future__ import annotations

import asyncio
import math
import secrets
import threading
import time
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
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


@dataclass(eq=False, repr=False)
class Run:
    """A run, from the click to the end of its files."""

    owner: str  # the hash of its visitor's key, or "" for a program's
    client: str
    pictures: Inputs[Source]  # what it is painted from
    settings: Settings
    folder: RunFolder
    drawings: Mapping[str, bytes]  # PNG of the strokes of its masks, by what they were drawn on
    stop: threading.Event = field(default_factory=threading.Event)  # set when it is to end
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    began: float = field(default_factory=time.time)
    state: State = "waiting"
    message: str = ""  # a sentence on how it ended, if not well
    losses: LossLog = field(default_factory=LossLog)
    latest: Waiting | Update | None = None
    removal: asyncio.TimerHandle | None = None  # of all it has made, once it was deleted
    wished: Settings | None = None  # as the sliders stand by now, if they were moved
    _followers: dict[object, tuple[str, float]] = field(default_factory=dict)  # sessions, and since when
    _last_followed: float = field(default_factory=time.monotonic)  # by the last follower
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def under_way(self) -> bool:
        """Whether it waits or is painted."""
        return self.state in ("waiting", "painting")

    @property
    def stopped(self) -> bool:
        """Whether it was asked to end."""
        return self.stop.is_set()

    @property
    def step(self) -> str:
        """What a step of it is called: of a clip it is one of its frames."""
        return "frame" if self.folder.frames and self.folder.frames[0].of_clip else "step"

    def file_name(self, kept: SavedFrame) -> str:
        """Return what to save a picture of it as, such as "cat-starry_night-2026-05-30.png"."""
        given = [picture for _, picture in self.pictures.pictures() if isinstance(picture, Upload)]
        names = [name for picture in given[:2] if (name := picture.short_name)] or ["painting"]
        if kept is not self.folder.finished:
            names.append(f"{self.step}-{kept.iteration}")
        day = time.strftime("%Y-%m-%d", time.localtime(self.began))
        return "-".join([*names, day]) + Path(kept.path).suffix

    def request_stop(self) -> None:
        """Ask it to end at its next iteration, and to keep what it has."""
        self.stop.set()

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
            while self.under_way or self.latest is not last:
                if self.latest is not last:
                    last = self.latest
                    yield last
                else:
                    try:
                        await asyncio.wait_for(self._changed.wait(), _ALIVE)
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
