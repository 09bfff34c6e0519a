"""One visitor's run: how it stands, what is kept of it, and who follows it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import secrets
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pandas as pd

from nst.inputs import Inputs
from nst.optimization.frames import Frame
from nst.painters.scheduler import Standing
from nst.runs.pictures import Source
from nst.runs.storage import RunFolder, SavedFrame, Upload
from nst.runs.stream import Update
from nst.settings import Settings

# "left" has been stopped as nobody followed it any more, "interrupted" by the end of its host.
State = Literal["waiting", "painting", "finished", "stopped", "left", "refused", "failed", "interrupted"]
# Seconds after which a follower is told that the run is still there, though nothing has changed.
_ALIVE = 5.0
_ROWS = 200  # of a chart at most
_HUNG_UP = 3.0  # seconds without a program that has listened, after which its run ends


@dataclass
class LossLog:
    """The losses of a run so far, thinned out so that a long run stays a light chart."""

    rows: list[tuple[int, dict[str, float]]] = field(default_factory=list)
    every: int = 1
    seen: int = 0

    def add(self, frame: Frame) -> None:
        if self.seen % self.every == 0 and frame.losses:
            self.rows.append((frame.iteration, frame.losses))
            if len(self.rows) > _ROWS:
                self.rows = self.rows[::2]
                self.every *= 2
        self.seen += 1

    def table(self) -> pd.DataFrame:
        """Return columns step, log10 and term: the chart has no logarithmic axis of its own."""
        return pd.DataFrame(
            [
                (step, math.log10(value), term)
                for step, losses in self.rows
                for term, value in losses.items()
                if value > 0
            ],
            columns=["step", "log10", "term"],
        )


class Listeners:
    """Which events somebody listens to, by session; noted in one event loop, asked from any thread."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._left: dict[str, float] = {}  # when the last listener of a session left

    @contextlib.contextmanager
    def listening(self, session: str) -> Iterator[None]:
        self._open[session] += 1
        try:
            yield
        finally:
            self._left[session] = time.monotonic()  # before it is closed: nobody finds neither
            self._open -= Counter([session])
            while len(self._left) > 5000:
                self._left.pop(next(iter(self._left)))

    def has_left(self, session: str) -> bool:
        """Return whether somebody has listened to a session and does so no more."""
        return session in self._left and not self._open[session]

    def alone_for(self, session: str, since: float) -> float:
        """Return the seconds for which nobody has listened to a session, whose run began at `since`."""
        if self._open[session]:
            return 0.0
        return time.monotonic() - max(since, self._left.get(session, since))


@dataclass(eq=False, repr=False)
class Run:
    """A run, from the click to the end of its files."""

    owner: str  # the hash of its visitor's key, or "" for a program's
    client: str
    pictures: Inputs[Source]  # what it is painted from
    settings: Settings
    folder: RunFolder
    drawings: Mapping[str, bytes]  # PNG of the strokes of its masks, by what they were drawn on
    stop: threading.Event = field(default_factory=threading.Event)  # set to end it with what it has
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    began: float = field(default_factory=time.time)
    state: State = "waiting"
    message: str = ""  # a sentence on how it ended, if not well
    losses: LossLog = field(default_factory=LossLog)
    latest: Standing | Update | None = None
    removal: asyncio.TimerHandle | None = None  # of all it has made, once it was deleted
    wished: Settings | None = None  # as the sliders stand by now, if they were moved
    _followers: list[tuple[str, float]] = field(default_factory=list)  # sessions, and since when
    _last_followed: float = field(default_factory=time.monotonic)  # by the last follower
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def under_way(self) -> bool:
        return self.state in ("waiting", "painting")

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

    def tell(self, latest: Standing | Update) -> None:
        if isinstance(latest, Update):
            self.losses.add(latest.frame)
        self.latest = latest
        self._wake()

    def finish(self, state: State, message: str = "") -> None:
        self.state, self.message = state, message
        self._wake()

    async def follow(self, session: str) -> AsyncGenerator[Standing | Update | None]:
        """Yield what is newest for a session's listeners, None now and then, until the run has ended."""
        last: Standing | Update | None = None
        follower = session, time.monotonic()
        self._followers.append(follower)
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
            self._last_followed = time.monotonic()  # before it is gone: nobody finds neither
            self._followers.remove(follower)

    def alone_for(self, listeners: Listeners) -> float:
        """Return for how many seconds nobody has followed it."""
        followers = self._followers.copy()  # at once: another thread asks
        if not followers:
            return time.monotonic() - self._last_followed
        # Gradio may go on for a while for a browser that has gone.
        return min(listeners.alone_for(session, since) for session, since in followers)

    def is_abandoned(self, listeners: Listeners, grace: float) -> bool:
        """Return whether nobody has followed it for so long that it ends.

        For the seconds of grace a browser may be on its way back; a program that listens no more is not.
        """
        if not self.owner and all(listeners.has_left(session) for session, _ in self._followers.copy()):
            grace = min(_HUNG_UP, grace)
        return self.alone_for(listeners) > grace

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
