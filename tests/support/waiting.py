"""Waiting for what another process, thread or page does, and finding the processes."""

import time
from collections.abc import Callable
from typing import Any

import psutil


def eventually(check: Callable[[], Any], message: object = "", seconds: float = 60.0) -> Any:
    """Wait until something is so, and return what it is then; else fail with a message."""
    began = time.monotonic()
    while not (found := check()):
        assert time.monotonic() - began < seconds, message() if callable(message) else message
        time.sleep(0.03)
    return found


def started_with(name: str, value: str) -> list[psutil.Process]:
    """Return the processes that were started with such a variable, each with `info` of what it holds."""
    return [
        process
        for process in psutil.process_iter(["cmdline", "environ", "memory_info", "num_threads"])
        if (process.info["environ"] or {}).get(name) == value
        # Python's own helper goes with the process that it helps.
        and "resource_tracker" not in " ".join(process.info["cmdline"] or ())
    ]
