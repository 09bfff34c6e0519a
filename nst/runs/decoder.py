"""Visitors' files are decoded here: each by a process of its own, within a deadline, fairly in turn.

A small file can make a decoder work for minutes or hold gigabytes, in C code that nothing in this process
could interrupt. So another process does it and is killed when its time is up. There are three lines, so that
what is quick never waits for what is not: headers, ordinary pictures, very large ones. A file is at first
given a moment only: what was not done in it then comes last.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import multiprocessing
import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from anyio import to_thread

from nst.errors import InputError
from nst.host.allocator import give_back_when_idle
from nst.image.decoding import MIN_SIDE
from nst.painters.scheduler import Scheduler
from nst.runs import decode_worker
from nst.runs.pixel_cache import PixelCache
from nst.runs.storage import Upload

log = logging.getLogger(__name__)

# Seconds that a file may take: to tell its size, to become pixels, and to become very many of them.
DEADLINES = {"headers": 3.0, "pictures": 5.0, "large": 20.0}
ORDINARY = 25_000_000  # pixels
_MOMENT = 1 / 6  # of that
_STARTS = 60.0  # seconds in which a process has to come up, on a host that is busy
_AGAIN = 0.5  # seconds after which it is tried again to have one come up
_WAITING = 64  # files in one line
_BUSY = "This host is busy reading other pictures; try again in a minute."
_REMEMBERED = 2000  # sizes of files, and remarks on them
_KEPT = 2**27  # bytes of pixels: three photos of 12 million
_LARGE = 2**24  # bytes of pixels, with which more of the kind will have been held for a moment
_AHEAD = 2  # files that are decoded for a visitor before anybody asks for them

# A server that has what is needed imported forks in 5 ms; without one a process takes half a second.
_SERVER = hasattr(os, "fork")
_processes: Any = multiprocessing.get_context("forkserver" if _SERVER else "spawn")
if _SERVER:
    _processes.set_forkserver_preload(["nst.runs.decode_server"])


class Decoder:
    """Decodes for one host.

    Args:
        deadlines: seconds that a file may take, as `DEADLINES`.
    """

    def __init__(self, deadlines: Mapping[str, float] = DEADLINES) -> None:
        self.deadlines = dict(deadlines)
        self.lines = {
            name: Scheduler(_WAITING, 2 * _WAITING, [name], enough=_BUSY, full=_BUSY) for name in deadlines
        }
        self._sizes: OrderedDict[tuple[str, str], tuple[int, int] | str] = OrderedDict()
        self._remarks: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._kept = PixelCache(_KEPT)
        self._ahead: dict[asyncio.Task[None], str] = {}  # for whom; the loop itself does not hold them

    def start(self) -> None:
        """Have the server of processes ready before anybody comes."""
        threading.Thread(target=_Process("measure", b"", {"label": ""}, _STARTS).run, daemon=True).start()

    def stalled(self) -> float:
        """Return for how many seconds a file waits and none is begun, in the line where that is longest."""
        return max(line.stalled() for line in self.lines.values())

    async def measure(self, file: Upload, label: str, client: str) -> tuple[int, int]:
        """Return (width, height) of a picture as it will be shown.

        Raises:
            InputError: it is no picture, or tells its size too slowly.
        """
        key = (file.name, label)
        known = self._sizes.get(key)
        if known is None:
            try:
                answer, _ = await self._do("headers", "measure", file, label, client)
                known = (int(answer["size"][0]), int(answer["size"][1]))
            except _VerdictError as error:
                known = str(error)
            _remember(self._sizes, key, known)
        if isinstance(known, str):
            raise InputError(known)
        return known

    async def decode(
        self,
        file: Upload,
        label: str,
        client: str,
        ground: float = 1.0,
        least: int = MIN_SIDE,
        alpha: bool = False,
    ) -> np.ndarray:
        """Return a picture's pixels, (H, W, 3), uint8 or floats in [0, 1], or with its alpha (H, W, 4).

        They are kept for the next time, so they are not to be changed.

        Args:
            ground: as for `nst.image.decoding.decode`.

        Raises:
            InputError: the picture cannot be used, or takes too long.
        """
        how = (ground, least, alpha)
        if (kept := self._kept.get(file, how)) is not None:
            return kept
        line = "pictures"
        if least >= MIN_SIDE:  # what may be smaller was made for a photo that is not large
            width, height = await self.measure(file, label, client)
            line = "pictures" if width * height <= ORDINARY else "large"
        more = {"ground": ground, "least": least, "alpha": alpha}
        answer, payload = await self._do(line, "decode", file, label, client, **more)
        if answer["remark"]:
            _remember(self._remarks, (file.name, label), str(answer["remark"]))
        pixels = _array(answer, payload)
        if pixels.nbytes > _LARGE:
            give_back_when_idle()  # a host on which nobody paints would hold it for ever
        if not answer["remark"]:  # which is said anew to whoever decodes the file
            self._kept.put(file, how, pixels)
        return pixels

    def decode_ahead(self, file: Upload, label: str, client: str, *, alpha: bool) -> None:
        """Begin to decode what a run will probably want, so that it then need not wait for it.

        Of one visitor's no more than a photo and a style at a time: nobody fills the line with what may come
        to nothing. The arguments are those of `decode`.
        """
        if list(self._ahead.values()).count(client) >= _AHEAD:
            return

        async def quietly() -> None:
            with contextlib.suppress(InputError):  # the run will tell
                await self.decode(file, label, client, alpha=alpha)

        task = asyncio.get_running_loop().create_task(quietly())
        self._ahead[task] = client
        task.add_done_callback(self._ahead.pop)

    def forget(self, folder: Path) -> None:
        """Know that a folder is gone, and what was sent into it."""
        self._kept.forget(folder)

    def remark(self, file: Upload, label: str) -> str:
        """Return a sentence on what is missing of a picture that was decoded, "" if nothing is."""
        return self._remarks.get((file.name, label), "")

    async def drawing(self, data: bytes, label: str, client: str) -> np.ndarray:
        """Return the pixels of a small picture with its transparency, (H, W, 4) uint8.

        Raises:
            InputError: the picture cannot be used, or takes too long.
        """
        return _array(*await self._do("headers", "drawing", data, label, client))

    async def text(self, file: Upload, label: str, client: str) -> dict[str, str]:
        """Return the text entries of a painting, as `nst.image.decoding.painting_text` does.

        Raises:
            InputError: it is no picture, or takes too long.
        """
        return (await self._do("pictures", "text", file, label, client))[0]["text"]

    async def _do(
        self, line: str, work: str, file: Upload | bytes, label: str, client: str, **options: Any
    ) -> tuple[dict[str, Any], bytes]:
        seconds, found = self.deadlines[line], None
        for late, limit in enumerate((seconds * _MOMENT, seconds)):
            async with self.lines[line].place(client, late=bool(late)):
                data = await to_thread.run_sync(file.read, label) if isinstance(file, Upload) else file
                process = _Process(work, data, {"label": label, **options}, limit)
                try:
                    found = await to_thread.run_sync(process.run, abandon_on_cancel=True)
                finally:
                    process.kill()  # also when whoever asked has left
            if found is not None:
                break
            # A process may also die of something else, such as the system's want of memory.
            if not process.begun:
                await asyncio.sleep(_AGAIN)
        if found is None and not process.begun:
            raise InputError(f"{label} cannot be read here just now; try again in a minute.")
        if found is None and process.late:
            log.warning("a file was given up after %g s", limit)
            raise InputError(f"{label} takes too long to read; save it as a plain JPEG or PNG.")
        if found is None:
            raise InputError(f"{label} is damaged or incomplete; save or download it again.")
        if "refused" in found[0]:
            raise _VerdictError(found[0]["refused"])
        return found


class _VerdictError(InputError):
    """What is wrong with a file; it will be so the next time."""


def _remember(known: OrderedDict[tuple[str, str], Any], key: tuple[str, str], value: Any) -> None:
    known[key] = value
    while len(known) > _REMEMBERED:
        known.popitem(last=False)


def _array(answer: dict[str, Any], payload: bytes) -> np.ndarray:
    """Return pixels as they were told; the process that tells them is trusted with nothing."""
    kind = np.dtype({"uint8": np.uint8, "float32": np.float32}[answer["kind"]])
    return np.frombuffer(bytearray(payload), kind).reshape([int(side) for side in answer["shape"]])


class _Process:
    """One process, for one file.

    Args:
        seconds: after which it is ended.
    """

    def __init__(self, work: str, data: bytes, options: dict[str, Any], seconds: float) -> None:
        self.seconds, self._ended = seconds, False
        self.begun = self.late = False  # whether it came up, and whether its time is over
        self._link, self._theirs = _processes.Pipe(duplex=False)
        self._process = _processes.Process(
            target=decode_worker.serve, args=(self._theirs, seconds, work, data, options), daemon=True
        )

    def run(self) -> tuple[dict[str, Any], bytes] | None:
        """Return what it answers, None if it is ended first: for its time, if it is `late` then."""
        timer = threading.Timer(self.seconds, self._expire)
        with self._link:
            try:
                self._process.start()
                self._theirs.close()
                if self._ended:
                    return None
                if self._link.poll(_STARTS) and self._link.recv_bytes():
                    self.begun = True
                    timer.start()
                    return json.loads(self._link.recv_bytes()), self._link.recv_bytes()
            except (EOFError, OSError):
                pass
            finally:
                timer.cancel()
                self.kill()
                if self._process.pid is not None:
                    self._process.join()
        return None

    def kill(self) -> None:
        """End it, or let it not begin."""
        self._ended = True
        with contextlib.suppress(AttributeError):  # it has not begun
            self._process.kill()

    def _expire(self) -> None:
        self.late = True
        self.kill()
