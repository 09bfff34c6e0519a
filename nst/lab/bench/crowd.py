"""Seconds of a painting on a host that others use too, against its fair share of the cores."""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nst
from nst.errors import InputError
from nst.host.threads import cores

_EXAMPLES = Path(nst.__file__).parents[1] / "examples"
PHOTO, STYLE = _EXAMPLES / "photos" / "coffee.jpg", _EXAMPLES / "styles" / "starry_night.jpg"
# Paints once for each line that comes, and answers with threads and seconds.
_PAINTER = """
import sys, time
from nst.host.threads import prepare
prepare()
import torch
from nst import Settings, stylize
from nst.host.allocator import keep_freed
from nst.host.shared_cores import SharedCores
keep_freed()
cores = SharedCores(torch.get_num_threads())
photo, style, size = sys.argv[1:]
for _ in sys.stdin:
    began = time.perf_counter()
    for _ in stylize(photo, style, Settings(size=int(size)), stop=cores.following(bool)):
        pass
    print(cores.most, time.perf_counter() - began, flush=True)
"""
_OURS = ("OMP_NUM_THREADS", "GOMP_SPINCOUNT")  # which this process has settled for itself
_BUSY = "while True: pass"
_PERIOD = 0.1  # seconds in which a quota counts, as Linux' own do


def measure(*, size: int, busy: Sequence[int], quotas: Sequence[float], rounds: int) -> dict[str, Any]:
    """Return the seconds of a painting alone, beside busy processes and under quotas, in turns with alone.

    A fair share is what the scheduler gives to as many threads as paint: of C cores, of which N processes are
    busy, C T / (T + N). Under a quota it is the quota. A quota is played by stopping the process for the rest
    of each tenth of a second in which it has used it up, which needs no rights.

    Args:
        size: longest side in pixels.
        busy: numbers of processes that do nothing but compute.
        quotas: of cores.
        rounds: how often each is measured.

    Raises:
        InputError: the examples are not here, or the system has none of these means.
    """
    if not PHOTO.exists():
        raise InputError("This needs the examples; run it from a clone of the project.")
    if not hasattr(signal, "SIGSTOP"):
        raise InputError("This needs a system on which a process can be stopped, such as Linux.")
    rows: list[dict[str, Any]] = []
    with _painter(size) as alone:
        threads, _ = alone.paint()
        for count in busy:
            found = []
            for _ in range(rounds):
                before = alone.paint()[1]
                with _beside(count):
                    found.append(alone.paint()[1] / before)
            share = min(threads, cores() * threads / (threads + count))
            rows.append(_row(f"{count} busy", threads, found, threads / share))
        for quota in quotas:
            with _painter(size, quota) as limited:
                threads_then, _ = limited.paint()
                found = []
                for _ in range(rounds):
                    before = alone.paint()[1]
                    with limited.held():
                        found.append(limited.paint()[1] / before)
            rows.append(_row(f"quota {quota:g}", threads_then, found, threads / quota))
    return {"size": size, "rows": rows}


def _row(load: str, threads: int, found: Sequence[float], fair: float) -> dict[str, Any]:
    took = statistics.median(found)
    return {"load": load, "threads": threads, "of alone": took, "fair": fair, "of fair": took / fair}


class _Painter:
    """A process that paints when it is asked to."""

    def __init__(self, process: subprocess.Popen[str], quota: float) -> None:
        self.process, self.quota = process, quota

    def paint(self) -> tuple[int, float]:
        """Return the number of threads and the seconds of a painting."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("it has no pipes")
        print(file=self.process.stdin, flush=True)
        threads, seconds = self.process.stdout.readline().split()
        return int(threads), float(seconds)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold it to its quota for as long as the context lasts."""
        done = threading.Event()
        thread = threading.Thread(target=self._hold, args=(done,))
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _hold(self, done: threading.Event) -> None:
        clock = (~self.process.pid << 3) | 2  # of all its threads: clock_getcpuclockid(3)
        ends, used = time.monotonic() + _PERIOD, time.clock_gettime(clock)
        while not done.wait(0.001):
            if time.clock_gettime(clock) - used >= self.quota * _PERIOD:
                self.process.send_signal(signal.SIGSTOP)
                done.wait(max(0.0, ends - time.monotonic()))
                self.process.send_signal(signal.SIGCONT)
            if time.monotonic() >= ends:
                ends, used = time.monotonic() + _PERIOD, time.clock_gettime(clock)


@contextlib.contextmanager
def _painter(size: int, quota: float = 0.0) -> Iterator[_Painter]:
    """Yield a process that paints, told its quota as a Space tells it."""
    command = [sys.executable, "-c", _PAINTER, str(PHOTO), str(STYLE), str(size)]
    told = dict(os.environ)
    if quota:
        told = {name: value for name, value in told.items() if name not in _OURS} | {"CPU_CORES": str(quota)}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    process = subprocess.Popen(command, env=told, **pipes)  # noqa: S603 (our own)
    try:
        yield _Painter(process, quota)
    finally:
        process.kill()
        process.communicate()


@contextlib.contextmanager
def _beside(count: int) -> Iterator[None]:
    """Have so many processes that do nothing but compute for as long as the context lasts."""
    processes = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(count)]  # noqa: S603
    try:
        time.sleep(0.2)  # until they do
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def table(findings: dict[str, Any]) -> str:
    """Return `measure`'s findings as text."""
    lines = [
        f"{findings['size']} px",
        f"{'load':12} {'threads':>7} {'of alone':>9} {'fair':>6} {'of fair':>8}",
    ]
    lines += [
        f"{row['load']:12} {row['threads']:7} {row['of alone']:9.2f} {row['fair']:6.2f} {row['of fair']:8.2f}"
        for row in findings["rows"]
    ]
    return "\n".join(lines)
