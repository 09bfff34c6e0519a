"""What this host computes with."""

from __future__ import annotations

import math
import os
import time
from functools import lru_cache

import torch
import torch.nn.functional as F

from nst.errors import InputError


def pick_device(name: str = "") -> torch.device:
    """Return the device that is named, by `NST_DEVICE` if not here; by default CUDA's if there is one.

    Args:
        name: "auto", "cpu", "cuda", "cuda:1" (AMD's are named so too), "mps" (Apple's; untried); "" for what
            `NST_DEVICE` names.

    Raises:
        InputError: there is no such device here.
    """
    name = (name or os.environ.get("NST_DEVICE", "")).strip().lower() or "auto"
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = torch.device("meta")
    if device.type == "cpu":
        return torch.device("cpu")
    if device.type == "cuda" and (device.index or 0) < torch.cuda.device_count():
        return device
    if device.type == "mps" and torch.backends.mps.is_available():
        return device
    here = ["auto", "cpu", *(f"cuda:{number}" for number in range(torch.cuda.device_count()))]
    here += ["mps"] if torch.backends.mps.is_available() else []
    raise InputError(f"There is no device {name[:40]!r} here; there are {', '.join(here)}.")


def pick_precision(device: torch.device) -> torch.dtype:
    """Return bfloat16 where `device` multiplies it natively, else float32."""
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    elif device.type == "cpu":
        # Private, but the only names torch has for these two processor flags.
        native = any(
            getattr(torch.cpu, flag, bool)()
            for flag in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        )
        # Held to less than the processor has, such as by ONEDNN_MAX_CPU_ISA or an emulator, it is emulated.
        native = native and _bfloat16_pays()
    else:
        native = False
    return torch.bfloat16 if native else torch.float32


@lru_cache(maxsize=1)
def _bfloat16_pays() -> bool:
    """Return whether a convolution in bfloat16 is not slower than in float32, as where it is emulated."""
    # What oneDNN will do, below AVX-512; private, but there is no other way to ask.
    if not (torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()):
        return False
    shapes = (1, 32, 64, 64), (32, 32, 3, 3)
    kinds = (torch.float32, torch.bfloat16)
    seconds = dict.fromkeys(kinds, math.inf)
    with torch.no_grad():
        for _ in range(8):  # in turns, and the least counts: others may be busy here
            for kind in kinds:
                image, weights = (torch.ones(shape, dtype=kind) for shape in shapes)
                began = time.perf_counter()
                F.conv2d(image, weights)
                seconds[kind] = min(seconds[kind], time.perf_counter() - began)
    return seconds[torch.bfloat16] < 1.5 * seconds[torch.float32]


def describe(device: torch.device) -> str:
    """Return the device's everyday name, "CPU" or "GPU"."""
    return "CPU" if device.type == "cpu" else "GPU"
