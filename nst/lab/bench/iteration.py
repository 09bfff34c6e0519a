"""Seconds of one iteration: the narrow network against VGG-19."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from nst.optimization.encoders import load_encoders
from nst.optimization.objective import Objective
from nst.optimization.optimizers import LBFGS
from nst.settings import Settings
from nst.vgg.encoder import Encoder
from nst.vgg.weights import find_vgg19

NAMES = ("vgg19", "narrow")


def encoder_of(name: str, weights: str) -> Encoder:
    """Return VGG-19, in the narrow network's precision, or the narrow network itself.

    Raises:
        InputError: weights of VGG-19 were named that cannot be used.
    """
    (own,) = load_encoders(Settings(encoder="narrow"))
    if name == "narrow":
        return own
    return Encoder(find_vgg19(weights), name="VGG-19", device=own.device, precision=own.precision)


def stepper(encoder: Encoder, size: int) -> Callable[[], None]:
    """Return a function that does one iteration, evaluation and L-BFGS step, of a painting.

    Args:
        encoder: whose layers are compared.
        size: longest side; the pictures are noise, 4 : 3.
    """
    generator = torch.Generator().manual_seed(0)
    photo, style = (
        torch.rand(1, 3, size * 3 // 4, size, generator=generator).to(encoder.device) for _ in range(2)
    )
    objective = Objective(encoder, photo, [style], Settings())
    canvas = photo.clone()
    optimizer = LBFGS.preconditioned(canvas)

    def step() -> None:
        evaluation = objective(canvas)
        optimizer.step(evaluation.loss, evaluation.gradient)
        if canvas.is_cuda:
            torch.cuda.synchronize()

    for _ in range(optimizer.history + 3):  # with a full history a step costs more
        step()
    return step


def measure(*, sizes: Sequence[int], rounds: int, weights: str) -> dict[str, Any]:
    """Return seconds per iteration at each size. The encoders alternate, so that disturbances affect both.

    Args:
        sizes: longest sides.
        rounds: how often each is measured, after the L-BFGS history is full.
        weights: other weights of VGG-19, or "" for the package's own.

    Raises:
        InputError: weights were named that cannot be used.
    """
    encoders, rows = {name: encoder_of(name, weights) for name in NAMES}, []
    for size in sizes:
        steps = {name: stepper(encoder, size) for name, encoder in encoders.items()}
        seconds: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(rounds):
            for name, step in steps.items():
                began = time.perf_counter()
                step()
                seconds[name].append(time.perf_counter() - began)
        base = seconds["vgg19"]
        for name, samples in seconds.items():
            rows.append(
                {
                    "size": size,
                    "encoder": name,
                    "median": statistics.median(samples),
                    "least": min(samples),
                    "median ratio": statistics.median(samples) / statistics.median(base),
                    "least ratio": min(samples) / min(base),
                }
            )
    return {"rows": rows}


def table(findings: dict[str, Any]) -> str:
    """Return `measure`'s findings as text."""
    lines = [f"{'size':>6} {'encoder':10} {'median ms':>10} {'least ms':>9} {'of VGG-19':>10} {'least':>7}"]
    lines += [
        f"{row['size']:6} {row['encoder']:10} {1e3 * row['median']:10.1f} {1e3 * row['least']:9.1f}"
        f" {row['median ratio']:10.3f} {row['least ratio']:7.3f}"
        for row in findings["rows"]
    ]
    return "\n".join(lines)
