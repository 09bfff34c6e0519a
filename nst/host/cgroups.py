"""What Linux's control groups (versions 1 and 2) allow this process: a container's share, a batch system's.

A limit may stand in the process's own group or in any above it; the least one counts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

_OWN, _ROOT = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def cpu_quota(own: Path = _OWN, root: Path = _ROOT) -> float | None:
    """Return how many CPUs' time this process may use, None without a limit."""
    limits = []
    for version, group in _groups("cpu", own, root):
        with contextlib.suppress(OSError, ValueError, ZeroDivisionError):
            if version == 2:
                quota, period = (group / "cpu.max").read_text().split()
            else:
                quota, period = (
                    (group / f"cpu.cfs_{name}_us").read_text().strip() for name in ("quota", "period")
                )
            if float(quota) > 0:  # version 1 says -1 for none, version 2 "max"
                limits.append(float(quota) / float(period))
    return min(limits, default=None)


def memory_left(own: Path = _OWN, root: Path = _ROOT) -> int | None:
    """Return how many bytes the groups have left, idle cache counted as free, None without any."""
    limits = []
    for version, group in _groups("memory", own, root):
        limit, usage, cache = (
            ("memory.max", "memory.current", "inactive_file")
            if version == 2
            else ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        )
        with contextlib.suppress(OSError, KeyError, ValueError):
            held = int((group / usage).read_text()) - numbers(group / "memory.stat")[cache]
            limits.append(int((group / limit).read_text()) - held)  # "max" is no number
    return max(0, min(limits)) if limits else None


def _groups(controller: str, own: Path, root: Path) -> Iterator[tuple[int, Path]]:
    """Yield version and folder of this process's group and of each above it, as far as they can be seen."""
    try:
        lines = [line.split(":", 2) for line in own.read_text().splitlines()]
    except OSError:
        lines = []
    for number, names, path in (line for line in lines if len(line) == 3):
        if names == "" and number == "0":
            version, mounts = 2, (root, root / "unified")
        elif controller in names.split(","):
            version, mounts = 1, (root / names, root / controller)
        else:
            continue
        # In a container the path may be the host's, of which only the top is there.
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for mount in mounts:
            for depth in range(len(parts), -1, -1):
                group = mount.joinpath(*parts[:depth])
                if group.is_dir():
                    yield version, group


def numbers(file: Path) -> dict[str, int]:
    """Return the first number of each line of a kernel's file by the word before it."""
    rows = [line.split() for line in file.read_text().splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdigit()}
