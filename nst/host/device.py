"""What this host computes with."""

from __future__ import annotations

import torch


def pick_device() -> torch.device:
    """Return the CUDA device if there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def pick_precision(device: torch.device) -> torch.dtype:
    """Return bfloat16 where `device` multiplies it natively, else float32.

    Emulated bfloat16 runs but is slower than float32, so the processor's own flags decide.
    """
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        # Private, but the only names torch has for these two processor flags.
        native = any(
            getattr(torch.cpu, flag, bool)()
            for flag in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
        )
    return torch.bfloat16 if native else torch.float32


def describe(device: torch.device) -> str:
    """Return the device's everyday name, "CPU" or "GPU"."""
    return "GPU" if device.type == "cuda" else "CPU"
