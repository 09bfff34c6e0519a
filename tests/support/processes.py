"""Which processes the tests have started."""

from __future__ import annotations

import psutil


def started_with(name: str, value: str) -> list[psutil.Process]:
    """Return the processes that were started with such a variable, each with `info` of what it holds."""
    return [
        process
        for process in psutil.process_iter(["cmdline", "environ", "memory_info", "num_threads"])
        if (process.info["environ"] or {}).get(name) == value
        # Python's own helper goes with the process that it helps.
        and "resource_tracker" not in " ".join(process.info["cmdline"] or ())
    ]
