"""Visitors' files are decoded here: by processes of their own, within a deadline, fairly in turn.

A small file can make a decoder work for minutes or hold gigabytes, in C code that nothing in this process
could interrupt. So another process does it and is killed when its time is up. There are three lines, so that
what is quick never waits for what is not: headers, ordinary pictures, very large ones. In each a client has
a few places, whoever has used least comes first, and a file is at first given a moment only: what was not
done in it then comes last.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import os
import subprocess
import sys
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from anyio import to_thread

import nst
from nst.errors import InputError
from nst.host.allocator import give_back_when_idle
from nst.image.decoding import MIN_SIDE
from nst.ui.runs.accounts import accounts
from nst.ui.runs.kept import Kept
from nst.ui.runs.storage import Sent

log = logging.getLogger(__name__)

# Seconds that a file may take: to tell its size, to become pixels, and to become very many of them.
DEADLINES = {"headers": 3.0, "pictures": 5.0, "large": 20.0}
ORDINARY = 25_000_000  # pixels
_MOMENT = 1 / 6  # of that
_REFILL = 0.25  # seconds of decoding that are forgotten in a second
_GRACE = 5.0  # seconds in which the other process is to say so itself
_STARTS = 60.0  # seconds in which a process has to come up, on a host that is busy
# Files in front of one process, and of one client among them all: a photo, a style and a mask.
_MOST_WAITING, _EACH = 64, 3
_BUSY = "This host is busy reading other pictures; try again in a minute."
_REMEMBERED = 2000  # sizes of files, and remarks on them
_KEPT = 2**27  # bytes of pixels: three photos of 12 million
_LARGE = 2**24  # bytes of pixels, with which more of the kind will have been held for a moment
_AHEAD = 2  # files that are decoded for a visitor before anybody asks for them


@dataclass(eq=False)
class _Job:
    work: str
    data: bytes
    more: dict[str, Any]
    what: str
    visitor: str
    future: Future[tuple[dict[str, Any], bytes]] = field(default_factory=Future)
    given_up: bool = False
    tried: bool = False  # for a moment
    crashed: bool = False  # the process that had it died


class Decoder:
    """Decodes for one host.

    Args:
        deadlines: seconds that a file may take, as `DEADLINES`.
    """

    def __init__(self, deadlines: Mapping[str, float] = DEADLINES) -> None:
        self.usage = Usage()
        self._lanes = {name: _Lane(name, seconds, self.usage) for name, seconds in deadlines.items()}
        self._sizes: OrderedDict[tuple[str, str], tuple[int, int] | str] = OrderedDict()
        self._remarks: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._kept = Kept(_KEPT)
        self._places: dict[str, tuple[asyncio.Semaphore, int]] = {}  # of each account, and how many use it
        self._ahead: dict[asyncio.Task[None], str] = {}  # for whom; the loop itself does not hold them

    def start(self) -> None:
        """Have the processes ready before anybody comes."""
        for name in ("headers", "pictures"):
            self._lanes[name].start()

    def close(self) -> None:
        """End the processes."""
        for lane in self._lanes.values():
            lane.close()

    def waited(self) -> float:
        """Return for how many seconds the first in any line has been waiting."""
        return max(lane.waited() for lane in self._lanes.values())

    async def measure(self, file: Sent, what: str, visitor: str) -> tuple[int, int]:
        """Return (width, height) of a picture as it will be shown.

        Args:
            file: the picture.
            what: how to call it in messages.
            visitor: on whose account.

        Raises:
            InputError: it is no picture, or tells its size too slowly.
        """
        key = (file.name, what)
        known = self._sizes.get(key)
        if known is None:
            try:
                told, _ = await self._do("headers", "measure", file, what, visitor)
                known = (int(told["size"][0]), int(told["size"][1]))
            except _VerdictError as error:
                known = str(error)
            _remember(self._sizes, key, known)
        if isinstance(known, str):
            raise InputError(known)
        return known

    async def decode(
        self,
        file: Sent,
        what: str,
        visitor: str,
        ground: float = 1.0,
        least: int = MIN_SIDE,
        alpha: bool = False,
    ) -> np.ndarray:
        """Return a picture's pixels, (H, W, 3), uint8 or floats in [0, 1], or with its alpha (H, W, 4).

        They are kept for the next time, so they are not to be changed.

        Args:
            file: as for `measure`; all arguments are.
            what: likewise.
            visitor: likewise.
            ground: as for `nst.image.decoding.decode`.
            least: likewise.
            alpha: likewise.

        Raises:
            InputError: the picture cannot be used, or takes too long.
        """
        how = (ground, least, alpha)
        if (kept := self._kept.get(file, how)) is not None:
            return kept
        lane = "pictures"
        if least >= MIN_SIDE:  # what may be smaller was made for a photo that is not large
            width, height = await self.measure(file, what, visitor)
            lane = "pictures" if width * height <= ORDINARY else "large"
        more = {"ground": ground, "least": least, "alpha": alpha}
        told, payload = await self._do(lane, "decode", file, what, visitor, **more)
        if told["remark"]:
            _remember(self._remarks, (file.name, what), str(told["remark"]))
        pixels = _array(told, payload)
        if pixels.nbytes > _LARGE:
            give_back_when_idle()  # a host on which nobody paints would hold it for ever
        if not told["remark"]:  # which is said anew to whoever decodes the file
            self._kept.put(file, how, pixels)
        return pixels

    def decode_ahead(self, file: Sent, what: str, visitor: str, *, alpha: bool) -> None:
        """Begin to decode what a run will probably want, so that it then need not wait for it.

        Of one visitor's no more than a photo and a style at a time: nobody fills the line with what may come
        to nothing. The arguments are those of `decode`.
        """
        if list(self._ahead.values()).count(visitor) >= _AHEAD:
            return

        async def quietly() -> None:
            with contextlib.suppress(InputError):  # the run will tell
                await self.decode(file, what, visitor, alpha=alpha)

        task = asyncio.get_running_loop().create_task(quietly())
        self._ahead[task] = visitor
        task.add_done_callback(self._ahead.pop)

    def forget(self, folder: Path) -> None:
        """Know that a folder is gone, and what was sent into it."""
        self._kept.forget(folder)

    def remark(self, file: Sent, what: str) -> str:
        """Return a sentence on what is missing of a picture that was decoded, "" if nothing is."""
        return self._remarks.get((file.name, what), "")

    async def drawing(self, data: bytes, what: str, visitor: str) -> np.ndarray:
        """Return the pixels of a small picture with its transparency, (H, W, 4) uint8.

        Raises:
            InputError: the picture cannot be used, or takes too long.
        """
        return _array(*await self._do("headers", "drawing", data, what, visitor))

    async def text(self, file: Sent, what: str, visitor: str) -> dict[str, str]:
        """Return the text entries of a painting, as `nst.image.decoding.painting_text` does.

        Raises:
            InputError: it is no picture, or takes too long.
        """
        return (await self._do("pictures", "text", file, what, visitor))[0]["text"]

    async def _do(
        self, lane: str, work: str, file: Sent | bytes, what: str, visitor: str, **more: Any
    ) -> tuple[dict[str, Any], bytes]:
        async with contextlib.AsyncExitStack() as places:
            for account, share in accounts(visitor):
                await places.enter_async_context(self._place(account, _EACH * share))
            data = await to_thread.run_sync(file.read, what) if isinstance(file, Sent) else file
            job = _Job(work, data, {"what": what, **more}, what, visitor)
            self._lanes[lane].put(job)
            try:
                told, payload = await asyncio.wrap_future(job.future)
            finally:
                job.given_up = True  # also when whoever asked has left
        if "failed" in told:
            raise InputError(told["failed"])
        if "refused" in told:
            raise _VerdictError(told["refused"])
        return told, payload

    @contextlib.asynccontextmanager
    async def _place(self, account: str, most: int) -> AsyncIterator[None]:
        """Wait until an account has fewer files in front of the processes than it may have."""
        places, users = self._places.get(account, (asyncio.Semaphore(most), 0))
        self._places[account] = places, users + 1
        try:
            async with places:
                yield
        finally:
            places, users = self._places.pop(account)
            if users > 1:
                self._places[account] = places, users - 1


class _VerdictError(InputError):
    """What is wrong with a file; it will be so the next time."""


def _remember(known: OrderedDict[tuple[str, str], Any], key: tuple[str, str], value: Any) -> None:
    known[key] = value
    while len(known) > _REMEMBERED:
        known.popitem(last=False)


def _array(told: dict[str, Any], payload: bytes) -> np.ndarray:
    """Return pixels as they were told; the process that tells them is trusted with nothing."""
    kind = np.dtype({"uint8": np.uint8, "float32": np.float32}[told["kind"]])
    return np.frombuffer(bytearray(payload), kind).reshape([int(side) for side in told["shape"]])


def _answer(job: _Job, told: dict[str, Any], payload: bytes = b"") -> None:
    with contextlib.suppress(InvalidStateError):  # whoever asked has left
        job.future.set_result((told, payload))


class Usage:
    """Seconds of decoding that each visitor has used of late."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: dict[str, tuple[float, float]] = {}  # visitor: seconds, when that was

    def of(self, visitor: str) -> float:
        """Return the seconds that count by now."""
        with self._lock:
            return self._now(visitor)

    def add(self, visitor: str, seconds: float) -> None:
        """Put seconds on a visitor's account."""
        with self._lock:
            self._used[visitor] = (self._now(visitor) + seconds, time.monotonic())
            if len(self._used) > 10_000:
                for other in [one for one in self._used if self._now(one) == 0]:
                    del self._used[other]

    def _now(self, visitor: str) -> float:
        seconds, when = self._used.get(visitor, (0.0, 0.0))
        return max(0.0, seconds - _REFILL * (time.monotonic() - when))


class _Lane:
    """One process and the line of files before it."""

    def __init__(self, name: str, seconds: float, usage: Usage) -> None:
        self.name, self.seconds, self.usage = name, seconds, usage
        self._jobs: list[_Job] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._link: Connection | None = None
        self._since = math.inf  # when the first in line came to be the first
        self._closed = False

    def start(self) -> None:
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name=f"decode-{self.name}", daemon=True)
                self._thread.start()

    def put(self, job: _Job) -> None:
        """Stand in line; if it is full, the newest of whoever has most in it goes.

        Raises:
            InputError: it is full, and nobody has more in it.
        """
        with self._changed:
            if len(self._jobs) >= _MOST_WAITING:
                of = Counter(one.visitor for one in self._jobs)
                newest = max(reversed(self._jobs), key=lambda one: of[one.visitor])
                if of[job.visitor] + 1 >= of[newest.visitor]:
                    raise InputError(_BUSY)
                self._jobs.remove(newest)
                _answer(newest, {"failed": _BUSY})
            if not self._jobs:
                self._since = time.monotonic()
            self._jobs.append(job)
            self._changed.notify()
        self.start()

    def waited(self) -> float:
        with self._changed:
            return time.monotonic() - self._since if self._jobs else 0.0

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._end()

    def _next(self) -> _Job | None:
        with self._changed:
            while not self._jobs and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            # Of equals, whoever came first.
            job = min(self._jobs, key=lambda one: (one.tried, self.usage.of(one.visitor)))
            self._jobs.remove(job)
            self._since = time.monotonic() if self._jobs else math.inf
            return job

    def _serve(self) -> None:
        with contextlib.suppress(Exception):  # the first file tries again
            self._begin()
        while (job := self._next()) is not None:
            if job.given_up:
                continue
            began = time.monotonic()
            try:
                told, payload = self._ask(job)
            except Exception:
                log.exception("decoding failed")
                self._end()
                told, payload = {"failed": f"{job.what} cannot be read here just now; try again."}, b""
            self.usage.add(job.visitor, time.monotonic() - began)
            if (told.get("late") and not job.tried) or (told.get("crashed") and not job.crashed):
                # A process may also die of something else, such as the system's want of memory.
                job.tried |= "late" in told
                job.crashed |= "crashed" in told
                with self._changed:
                    self._jobs.append(job)
                continue
            if told.get("late"):
                log.warning("a file was given up after %g s", self.seconds)
                told = {"failed": f"{job.what} takes too long to read; save it as a plain JPEG or PNG."}
            elif "crashed" in told or "late" in told:
                told = {"failed": f"{job.what} is damaged or incomplete; save or download it again."}
            _answer(job, told, payload)

    def _ask(self, job: _Job) -> tuple[dict[str, Any], bytes]:
        """Have a job done, unless its time is over first or nobody waits for it any more."""
        if self._link is None or self._process is None or self._process.poll() is not None:
            self._link = self._begin()
        link = self._link
        seconds = self.seconds if job.tried else self.seconds * _MOMENT
        order = {"work": job.work, "more": job.more, "seconds": seconds}
        try:
            link.send_bytes(json.dumps(order).encode())
            link.send_bytes(job.data)
            until, stopped = time.monotonic() + seconds + _GRACE, False
            while not link.poll(0.05):
                if job.given_up and not stopped:
                    link.send_bytes(b'{"stop": true}')
                    stopped = True
                if time.monotonic() > until:
                    self._end()
                    return {"late": True}, b""
            return json.loads(link.recv_bytes()), link.recv_bytes()
        except (EOFError, OSError):
            self._end()
            return {"crashed": True}, b""

    def _begin(self) -> Connection:
        """Start the process; return the way to it."""
        self._end()
        here, there = Pipe()
        root = str(Path(nst.__file__).parents[1])
        self._process = subprocess.Popen(  # noqa: S603 (of ourselves)
            [sys.executable, "-m", "nst.ui.runs.decode_worker", str(there.fileno())],
            pass_fds=[there.fileno()],
            stdin=subprocess.DEVNULL,
            cwd=root,
            # Nothing of this host's environment: it may hold keys.
            env={"PYTHONPATH": root, "PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
        there.close()
        self._link = here
        if not here.poll(_STARTS):
            raise TimeoutError("no process to decode in came up")
        here.recv_bytes()
        return here

    def _end(self) -> None:
        process, self._process = self._process, None
        link, self._link = self._link, None
        if link is not None:
            link.close()
        if process is not None:
            process.kill()
            process.wait()
