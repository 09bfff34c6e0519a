"""How much memory a painting takes at a size, against what this host has left."""

from __future__ import annotations

import contextlib
from pathlib import Path

from torch import nn

from nst.encoder import Encoder
from nst.strips import cut

# Images of float32 besides the encoder's activations: two for each of the 12 steps that L-BFGS remembers,
# and its gradient, move, canvas, photo, styles and their copies.
_IMAGES = 2 * 12 + 16
# What is measured against what is counted: between freed and used buffers some memory lies idle.
_SLACK = 1.3
# The same for strips, which are cut out and whose gradients are put together again.
_STRIPS_SLACK = 3.6
# With more strips the rows that neighbours share would be most of the work.
MOST_STRIPS = 16
# Of a container, cgroup v2, then v1: limit, usage, statistics and what these call idle cache.
_GROUP = Path("/sys/fs/cgroup")
_GROUPS = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    (
        "memory/memory.limit_in_bytes",
        "memory/memory.usage_in_bytes",
        "memory/memory.stat",
        "total_inactive_file",
    ),
)


def needed(encoder: Encoder, width: int, height: int, style_scale: float = 1.0, strips: int = 1) -> int:
    """Return about how many bytes a painting at this size holds at its peak, on a CPU.

    Counted from the layers: each convolution keeps its padded input and its output for the way back, pooling
    its output and 8 bytes of index for each; on the way back the largest activation is there twice more.
    Only one of `strips` has all this at a time. Looking at the style, `style_scale` times as large, keeps
    nothing but what one convolution has at hand.
    """
    each = encoder.precision.itemsize
    images, activations, largest, channels = 4 * 3 * width * height * _IMAGES, 0, 0, 3
    height = max(strip.bottom - strip.top for strip in cut(height, strips, *encoder.reach()))
    for module in encoder.features:
        if isinstance(module, nn.Conv2d):
            activations += (channels + module.out_channels) * width * height * each
            channels = module.out_channels
            largest = max(largest, channels * width * height * each)
        elif not isinstance(module, nn.ReLU):
            width, height = width // 2, height // 2
            activations += channels * width * height * (each + 8)
    looking = 4 * style_scale**2 * largest
    slack = _SLACK if strips == 1 else _STRIPS_SLACK
    return round(images + slack * max(activations + 2 * largest, looking))


def strips_within(
    memory: int, encoder: Encoder, width: int, height: int, style_scale: float = 1.0
) -> int | None:
    """Return the least number of strips with which a painting fits into `memory`, None if none will do."""
    count = 1
    while count <= MOST_STRIPS:
        if needed(encoder, width, height, style_scale, count) <= memory:
            return count
        count *= 2
    return None


def available(meminfo: Path = Path("/proc/meminfo"), group: Path = _GROUP) -> int | None:
    """Return the bytes of memory that this process can still get, or None where the system does not say."""
    found = []
    with contextlib.suppress(OSError, KeyError, ValueError):
        found.append(1024 * _numbers(meminfo)["MemAvailable:"])
    for limit, usage, statistics, cache in _GROUPS:
        # A container may have less than its machine; without a limit the file says "max".
        with contextlib.suppress(OSError, KeyError, ValueError):
            held = int((group / usage).read_text()) - _numbers(group / statistics)[cache]
            found.append(int((group / limit).read_text()) - held)
    return max(0, min(found)) if found else None


def peak(status: Path = Path("/proc/self/status")) -> int | None:
    """Return the most bytes of memory that this process has held at a time, or None without Linux.

    Not `getrusage`: what that says of a new process begins with what its parent held.
    """
    with contextlib.suppress(OSError, KeyError, ValueError):
        return 1024 * _numbers(status)["VmHWM:"]
    return None


def _numbers(file: Path) -> dict[str, int]:
    """Return the first number of each line by the word before it."""
    rows = [line.split() for line in file.read_text().splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdigit()}
