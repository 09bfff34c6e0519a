"""Visitors' files are decoded here: each by a process of its own, within a deadline, fairly in turn.

A small file can make a decoder work for minutes or hold gigabytes, in C code that nothing in this process
could interrupt. So another process does it and is killed when its time is up. What is quick never waits for
what is not: headers, ordinary pictures and very large ones have a line each, and a file that is not done in a
moment comes last from then on.
"""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import os
import threading
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from anyio import to_thread

from nst.errors import InputError
from nst.host.allocator import give_back_when_idle
from nst.host.byte_cache import ByteCache
from nst.image.decoding import MIN_SIDE
from nst.painters.scheduler import Scheduler
from nst.runs import decode_worker
from nst.runs.storage import Upload
from nst.settings import Settings

log = logging.getLogger(__name__)

# Seconds that a file may take: to tell its size, to become pixels, and to become very many of them.
DEADLINES = {"headers": 3.0, "pictures": 5.0, "large": 20.0}
_ORDINARY = 25_000_000  # pixels
_MOMENT = 1 / 6  # of that
_STARTS = 60.0  # seconds in which a process has to come up, on a host that is busy
_WAITING = 64  # files in one line
_BUSY = "This host is busy reading other pictures; try again in a minute."
_KEPT = 2**27  # bytes of pixels: three photos of 12 million
_SIZE = 2**10  # bytes that the size of a file is charged with
_AGAIN = 0.5  # seconds in which a server of processes that has died is gone, and another can come
_LAST = 5.0  # seconds more for an answer that has begun
_LARGE = 2**24  # bytes of pixels, with which more of the kind will have been held for a moment
# How a file was not read, after the name that it is called by.
_NOT_BEGUN = "cannot be read here just now; try again in a minute."
_LATE = "takes too long to read; save it smaller, as a plain JPEG or PNG, or a clip as MP4."
_DIED = "is damaged or incomplete; save or download it again."

# A server that has what is needed imported forks in 5 ms; without one a process takes half a second.
_SERVER = hasattr(os, "fork")
_processes: Any = multiprocessing.get_context("forkserver" if _SERVER else "spawn")
if _SERVER:
    _processes.set_forkserver_preload(["nst.runs.decode_server"])


@dataclass(frozen=True)
class Moving:
    """What is painted of a clip."""

    count: int  # frames
    rate: Fraction  # frames a second
    seconds: float | None  # of the whole clip, as far as it says
    longest: int  # side in pixels at most

    def fitted(self, settings: Settings) -> Settings:
        """Return the settings that a clip is painted with: no larger than this host does."""
        return replace(settings, size=min(settings.size, self.longest))


class Decoder:
    """Decodes for one host; InputError for what cannot be used, or takes too long.

    Of a clip it reads so many frames at most, `clip_size` pixels on the longest side.
    """

    def __init__(
        self, deadlines: Mapping[str, float] = DEADLINES, frames: int = 48, clip_size: int = 256
    ) -> None:
        self.deadlines, self.frames, self.clip_size = deadlines, frames, clip_size
        self.lines = {
            name: Scheduler(_WAITING, 2 * _WAITING, [name], enough=_BUSY, full=_BUSY) for name in deadlines
        }
        self.cache = ByteCache(_KEPT)  # by file, and what was read of it

    def keep(self, path: Path, what: Hashable, value: Any, nbytes: int) -> None:
        """Have what was read of a file for the next time."""
        self.cache.put((path, what), value, nbytes)
        if not path.is_file():  # removed meanwhile
            self.forget(path.parent)

    def forget(self, folder: Path) -> None:
        """Keep nothing of the files in a folder any more."""
        self.cache.forget(lambda key: key[0].parent == folder)

    def start(self) -> None:
        """Have the server of processes ready before anybody comes."""
        if _SERVER:
            from multiprocessing import forkserver  # which Windows has no use for

            forkserver.ensure_running()

    def stalled(self) -> float:
        """Return for how many seconds a file waits and none is begun, in the line where that is longest."""
        return max(line.stalled() for line in self.lines.values())

    async def describe(self, file: Upload, label: str, client: str) -> tuple[tuple[int, int], Moving | None]:
        """Return (width, height) of a picture as it will be shown, and what is painted of it if it moves."""
        known = self.cache.get((file.path, "size"))
        if known is None:
            answer, _ = await self._do("headers", "measure", file, label, client, most=self.frames)
            size = int(answer["size"][0]), int(answer["size"][1])
            moving = None
            if clip := answer.get("clip"):
                count = min(int(clip["count"] or self.frames), self.frames)
                seconds = None if clip["seconds"] is None else float(clip["seconds"])
                moving = Moving(count, Fraction(clip["rate"]), seconds, self.clip_size)
            known = size, moving
            self.keep(file.path, "size", known, _SIZE)
        return known

    async def clip(self, file: Upload, label: str, client: str, longest: int) -> np.ndarray:
        """Return the frames of a clip that are painted, (N, H, W, 3) uint8, `longest` pixels on a side."""
        how = ("clip", longest)
        if (kept := self.cache.get((file.path, how))) is not None:
            return kept
        answer = await self._do("large", "clip", file, label, client, longest=longest, most=self.frames)
        frames = _array(*answer)
        self.keep(file.path, how, frames, frames.nbytes)
        return frames

    async def sounded(self, file: Upload, film: bytes, label: str, client: str) -> bytes:
        """Return a film, an MP4, with the sound of the clip that it was painted from."""
        return (await self._do("large", "sounded", file, label, client, film=film))[1]

    async def decode(
        self,
        file: Upload,
        label: str,
        client: str,
        ground: float = 1.0,
        least: int = MIN_SIDE,
        alpha: bool = False,
    ) -> tuple[np.ndarray, str]:
        """Return a picture's pixels, and a sentence on what is missing of it, "" if nothing is.

        The pixels are (H, W, 3), uint8 or floats in [0, 1], or with their alpha (H, W, 4), and not to be
        changed: they are kept for the next time. The options are those of `nst.image.decoding.decode`.
        """
        how, line = (ground, least, alpha), "pictures"
        if (kept := self.cache.get((file.path, how))) is not None:
            return kept, ""
        if least >= MIN_SIDE:  # what may be smaller was made for a photo that is not large
            (width, height), _ = await self.describe(file, label, client)
            line = "pictures" if width * height <= _ORDINARY else "large"
        options = {"ground": ground, "least": least, "alpha": alpha}
        answer, payload = await self._do(line, "decode", file, label, client, **options)
        pixels, remark = _array(answer, payload), str(answer["remark"])
        if pixels.nbytes > _LARGE:
            give_back_when_idle()  # a host on which nobody paints would hold it for ever
        if not remark:  # which is said anew to whoever decodes the file
            self.keep(file.path, how, pixels, pixels.nbytes)
        return pixels, remark

    async def drawing(self, data: bytes, label: str, client: str) -> np.ndarray:
        """Return the pixels of a small picture with its transparency, (H, W, 4) uint8."""
        return _array(*await self._do("headers", "drawing", data, label, client))

    async def text(self, file: Upload, label: str, client: str) -> dict[str, str]:
        """Return the text entries of a painting, as `nst.image.decoding.painting_text` does."""
        return (await self._do("pictures", "text", file, label, client))[0]["text"]

    async def _do(
        self, line: str, work: str, file: Upload | bytes, label: str, client: str, **options: Any
    ) -> tuple[dict[str, Any], bytes]:
        deadline, failure = self.deadlines[line], ""
        for late, seconds in enumerate((deadline * _MOMENT, deadline)):
            async with self.lines[line].place(client, late=bool(late)):
                data = await to_thread.run_sync(file.read, label) if isinstance(file, Upload) else file
                process = _Process(work, data, {"label": label, **options}, seconds)
                try:
                    answer, payload = await to_thread.run_sync(process.run, abandon_on_cancel=True)
                finally:
                    process.kill()  # also when whoever asked has left
            if "refused" in answer:
                raise InputError(answer["refused"])
            if "failure" not in answer:
                return answer, payload
            failure = answer["failure"]
            if failure == _NOT_BEGUN:
                await asyncio.sleep(_AGAIN)
        if failure == _LATE:
            log.warning("a file was given up after %g s", deadline)
        raise InputError(f"{label} {failure}")


def _array(answer: dict[str, Any], payload: bytes) -> np.ndarray:
    """Return pixels as they were told; the process that tells them is trusted with nothing."""
    kind = np.dtype({"uint8": np.uint8, "float32": np.float32}[answer["kind"]])
    return np.frombuffer(bytearray(payload), kind).reshape([int(side) for side in answer["shape"]])


class _Process:
    """One process, for one file, which is ended after some seconds."""

    def __init__(self, work: str, data: bytes, options: dict[str, Any], seconds: float) -> None:
        self.seconds = seconds
        self._link, self._theirs = _processes.Pipe(duplex=False)
        self._process = _processes.Process(
            target=decode_worker.serve, args=(self._theirs, seconds, work, data, options), daemon=True
        )

    def run(self) -> tuple[dict[str, Any], bytes]:
        """Return what it answers, or as "failure" how the file was not read."""
        failure = _NOT_BEGUN
        # Also when it has begun to answer: what a file has taken over may never end.
        end = threading.Timer(self.seconds + _LAST, self.kill)
        with self._link:
            try:
                self._process.start()
                self._theirs.close()
                if self._link.poll(_STARTS) and self._link.recv_bytes():
                    failure = _DIED  # should it say nothing more
                    end.start()
                    if self._link.poll(self.seconds):
                        return json.loads(self._link.recv_bytes()), self._link.recv_bytes()
                    failure = _LATE
            except (EOFError, OSError):
                pass
            finally:
                end.cancel()
                self.kill()
                if self._process.pid is not None:
                    self._process.join()
        return {"failure": failure}, b""

    def kill(self) -> None:
        if self._process.pid is not None:
            self._process.kill()
