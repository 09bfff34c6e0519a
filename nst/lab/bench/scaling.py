"""Seconds and memory of one iteration at growing sizes, against the least arithmetic."""

from __future__ import annotations

import math
import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F

from nst.host.allocator import keep_freed
from nst.host.memory import peak
from nst.lab.bench.iteration import NAMES, encoder_of, stepper
from nst.vgg.encoder import Encoder


def multiply_adds(encoder: Encoder, width: int, height: int) -> int:
    """Return the multiplications of one evaluation: the convolutions forward, and backward to their input."""
    total = sum(
        9 * stage.before * stage.channels * (width // stage.stride) * (height // stage.stride)
        for stage in encoder.stages
        if stage.convolution
    )
    return 2 * total


def least_traffic(encoder: Encoder, width: int, height: int) -> int:
    """Return the bytes that one evaluation has to move, were every activation too large for the caches.

    Each convolution's output is written and read, and so is the gradient at it.
    """
    values = sum(
        stage.channels * (width // stage.stride) * (height // stage.stride)
        for stage in encoder.stages
        if stage.convolution
    )
    return 4 * values * encoder.precision.itemsize


def bandwidth(device: torch.device) -> float:
    """Return the bytes per second that this machine moves in a copy too large for any cache."""
    source = torch.zeros(2**28, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * source.numel() / _best(lambda: target.copy_(source))


def machine_rate(precision: torch.dtype, device: torch.device) -> dict[str, float]:
    """Return multiply-adds per second that this machine reaches in a convolution and in a matrix product.

    Each is the best of several, to exclude disturbances.
    """
    image = torch.rand(1, 128, 96, 128, device=device).to(precision, memory_format=torch.channels_last)
    kernel = torch.rand(128, 128, 3, 3, device=device).to(precision, memory_format=torch.channels_last)
    square = torch.rand(2048, 2048, device=device).to(precision)
    with torch.no_grad():
        return {
            "convolution": kernel.numel() * 96 * 128 / _best(lambda: F.conv2d(image, kernel, padding=1)),
            "matrix product": 2048**3 / _best(lambda: square @ square),
        }


def _best(work: Callable[[], object], rounds: int = 6) -> float:
    least = math.inf
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        least = min(least, time.perf_counter() - began)
    return least


def measure(*, sizes: Sequence[int], rounds: int, weights: str) -> dict[str, Any]:
    """Return seconds per iteration, peak memory and distance from the floor, for both encoders and all sizes.

    Every figure comes from a process of its own, so that memory is counted separately.

    Args:
        sizes: longest sides, 4 : 3.
        rounds: iterations measured at each size.
        weights: other weights of VGG-19, or "" for the package's own.

    Raises:
        InputError: weights were named that cannot be used.
    """
    encoders = {name: encoder_of(name, weights) for name in NAMES}
    some = encoders["vgg19"]
    rate, moved = machine_rate(some.precision, some.device), bandwidth(some.device)
    rows = []
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for name, encoder in encoders.items():
            for size in sizes:
                seconds, memory = pool.apply(_one, (name, size, rounds, weights))
                work = multiply_adds(encoder, size, size * 3 // 4)
                rows.append(
                    {
                        "encoder": name,
                        "size": size,
                        "seconds": seconds,
                        "floor": work / max(rate.values()),
                        "of floor": seconds * max(rate.values()) / work,
                        "traffic": least_traffic(encoder, size, size * 3 // 4) / moved,
                        "peak MB": memory,
                    }
                )
    growth = {name: growth_of([row for row in rows if row["encoder"] == name]) for name in NAMES}
    return {
        "multiply-adds per second": rate,
        "bytes per second": moved,
        "rows": rows,
        "growth": growth,
    }


def _one(name: str, size: int, rounds: int, weights: str) -> tuple[float, float]:
    """Return the median seconds of an iteration and the process's peak memory in megabytes, or NaN."""
    keep_freed()
    step = stepper(encoder_of(name, weights), size)
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds), (peak() or math.nan) / 2**20


def growth_of(rows: Sequence[dict[str, Any]]) -> float | None:
    """Return the exponent of seconds against pixels from 256 to 1024 px, by least squares; 1 is linear."""
    points = [(2 * math.log(r["size"]), math.log(r["seconds"])) for r in rows if 256 <= r["size"] <= 1024]
    return statistics.linear_regression(*zip(*points, strict=True)).slope if len(points) > 1 else None


def table(findings: dict[str, Any]) -> str:
    """Return `measure`'s findings as text."""
    rates = ", ".join(
        f"{value / 1e9:.0f} in a {name}" for name, value in findings["multiply-adds per second"].items()
    )
    lines = [
        f"billion multiply-adds per second: {rates};"
        f" {findings['bytes per second'] / 1e9:.1f} billion bytes per second in a copy",
        f"{'encoder':10} {'size':>6} {'seconds':>9} {'floor':>9} {'of floor':>9}"
        f" {'traffic':>9} {'peak MB':>9}",
    ]
    lines += [
        f"{row['encoder']:10} {row['size']:6} {row['seconds']:9.4f} {row['floor']:9.4f}"
        f" {row['of floor']:9.2f} {row['traffic']:9.4f} {row['peak MB']:9.0f}"
        for row in findings["rows"]
    ]
    for name, power in findings["growth"].items():
        if power is not None:
            lines.append(f"{name}: seconds grow as pixels to the power {power:.2f} from 256 to 1024 px")
    return "\n".join(lines)
