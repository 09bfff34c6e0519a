"""How much memory a painting takes at a size, against what this host has left."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from nst.host.cgroups import memory_left, numbers
from nst.vgg.encoder import Encoder
from nst.vgg.strips import cut

# Images of float32 besides the encoder's activations: two for each of the 12 steps that L-BFGS remembers,
# and its gradient, move, canvas, photo, styles and their copies.
_IMAGES = 2 * 12 + 16
# What is held at most against what is counted, as buffers are padded, reordered for oneDNN and lie idle
# between two uses; in bfloat16 some are there as float32 as well. A plan must not be exceeded, so these
# leave room over what was seen in float32; bfloat16's by what was seen of an earlier count.
_SLACK = {torch.float32: 1.3, torch.bfloat16: 1.55}
# Of strips, how much more again; in bfloat16 as an earlier count of theirs had it, not measured anew.
_STRIPS_SLACK = {torch.float32: 1.0, torch.bfloat16: 1.5}
# Beside the pictures: what threads and libraries set up at their first use.
_ONCE = 150_000_000
# With more strips the rows that neighbours share would be most of the work.
MOST_STRIPS = 16


def needed(encoder: Encoder, width: int, height: int, style_scale: float = 1.0, strips: int = 1) -> int:
    """Return about how many bytes a painting at this size holds at its peak, on a CPU.

    Counted from the layers: each convolution keeps its padded input and its output for the way back, pooling
    its output and 8 bytes of index for each; on the way back the largest activation is there twice more.
    Only one of `strips` has all this at a time. Looking at the style, `style_scale` times as large, keeps
    nothing but what one convolution has at hand; but it is not done in strips, and what it leaves free is of
    sizes that strips have little use for.
    """
    each = encoder.precision.itemsize
    images, activations, largest, channels = 4 * 3 * width * height * _IMAGES, 0, 0, 3
    whole = height
    height = cut_height = max(strip.bottom - strip.top for strip in cut(height, strips, *encoder.reach()))
    for module in encoder.features:
        if isinstance(module, nn.Conv2d):
            activations += (channels + module.out_channels) * width * height * each
            channels = module.out_channels
            largest = max(largest, channels * width * height * each)
        elif not isinstance(module, nn.ReLU):
            width, height = width // 2, height // 2
            activations += channels * width * height * (each + 8)
    slack = _SLACK[encoder.precision] * (1 if strips == 1 else _STRIPS_SLACK[encoder.precision])
    painting, looking = slack * (activations + 2 * largest), 4 * style_scale**2 * largest * whole / cut_height
    held = max(painting, slack * looking) if strips == 1 else painting + looking
    return round(images + held + _ONCE)


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


def available(
    meminfo: Path = Path("/proc/meminfo"), groups: Callable[[], int | None] = memory_left
) -> int | None:
    """Return the bytes of memory that this process can still get, or None where the system does not say.

    Args:
        meminfo: what Linux says of the machine.
        groups: returns what the control groups of this process have left.
    """
    found = [groups()]
    with contextlib.suppress(OSError, KeyError, ValueError):
        found.append(1024 * numbers(meminfo)["MemAvailable:"])
    return min((one for one in found if one is not None), default=None)


def peak(status: Path = Path("/proc/self/status")) -> int | None:
    """Return the most bytes of memory that this process has held at a time, or None without Linux.

    Not `getrusage`: what that says of a new process begins with what its parent held.
    """
    with contextlib.suppress(OSError, KeyError, ValueError):
        return 1024 * numbers(status)["VmHWM:"]
    return None
