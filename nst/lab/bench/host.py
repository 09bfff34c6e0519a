"""The machine that a measurement was made on."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

from nst.host.device import pick_device, pick_precision


def describe_host() -> dict[str, str | int]:
    """Return processor or GPU, what it can do, threads, precision and versions."""
    device = pick_device()
    return {
        "processor": torch.cuda.get_device_name() if device.type == "cuda" else _processor(),
        "instructions": "CUDA" if device.type == "cuda" else torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
        "precision": str(pick_precision(device)).removeprefix("torch."),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def host_line() -> str:
    """Return `describe_host` as one line."""
    host = describe_host()
    return (
        f"{host['processor']}, {host['instructions']}, {host['threads']} threads, {host['precision']},"
        f" torch {host['torch']},"
        f" Python {host['python']}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
