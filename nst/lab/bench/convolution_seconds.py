"""Seconds of each 3 x 3 convolution in float32 on the CPU, there and back: by products, by Winograd."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nst.lab.bench.iteration import NAMES, encoder_of
from nst.vgg import winograd
from nst.vgg.convolution import ReplicateConv2d
from nst.vgg.encoder import Encoder


def measure(*, sizes: Sequence[int], rounds: int, weights: str) -> dict[str, Any]:
    """Return seconds of each of the encoders' convolutions both ways, in turn, and which one is taken.

    Args:
        sizes: longest sides, 4 : 3.
        rounds: how often each is measured; the least counts.
        weights: other weights of VGG-19, or "" for the package's own.

    Raises:
        InputError: weights were named that cannot be used.
    """
    rows = []
    for name in NAMES:
        encoder = encoder_of(name, weights)
        for size in sizes:
            rows += [{"encoder": name, "size": size, **row} for row in _rows(encoder, size, rounds)]
    return {"rows": rows}


def _rows(encoder: Encoder, size: int, rounds: int) -> list[dict[str, Any]]:
    """Return one encoder's rows at one size, like convolutions in one row."""
    rows: dict[tuple[int, int, int], dict[str, Any]] = {}
    for stage in encoder.stages:
        key = (stage.before, stage.channels, stage.stride)
        if not stage.convolution:
            continue
        if key in rows:
            rows[key]["count"] += 1
            continue
        shape = (1, stage.before, size * 3 // 4 // stage.stride, size // stage.stride)
        features = torch.rand(shape).to(memory_format=torch.channels_last)
        layer = ReplicateConv2d(stage.before, stage.channels)
        multiplied, by_winograd = _seconds(layer, features, rounds)
        rows[key] = {
            "channels": f"{stage.before} to {stage.channels}",
            "map": f"{shape[3]} x {shape[2]}",
            "count": 1,
            "multiplied": multiplied,
            "winograd": by_winograd,
            "ratio": by_winograd / multiplied,
            "taken": "winograd" if winograd.pays(features, stage.channels) else "multiplied",
        }
    return list(rows.values())


def _seconds(layer: ReplicateConv2d, features: Tensor, rounds: int) -> tuple[float, float]:
    """Return the least seconds of convolution and ReLU, there and back, multiplied out and by filtering."""

    def multiplied(features: Tensor) -> Tensor:
        return F.relu_(layer(features))

    layer.weight.data = layer.weight.data.to(memory_format=torch.channels_last)
    least = {multiplied: math.inf, layer.filtered: math.inf}
    for _ in range(rounds + 1):  # the first one is at a disadvantage, and never the least
        for way in least:
            image = features.clone().requires_grad_()
            began = time.perf_counter()
            result = way(image)
            torch.autograd.grad(result, image, result)
            least[way] = min(least[way], time.perf_counter() - began)
    return least[multiplied], least[layer.filtered]


def table(findings: dict[str, Any]) -> str:
    """Return `measure`'s findings as text."""
    lines = [
        f"{'encoder':8} {'size':>5} {'channels':>11} {'map':>11} {'layers':>6} {'multiplied ms':>13}"
        f" {'winograd ms':>11} {'ratio':>6}  taken"
    ]
    lines += [
        f"{row['encoder']:8} {row['size']:5} {row['channels']:>11} {row['map']:>11} {row['count']:6}"
        f" {1e3 * row['multiplied']:13.2f} {1e3 * row['winograd']:11.2f} {row['ratio']:6.2f}  {row['taken']}"
        for row in findings["rows"]
    ]
    return "\n".join(lines)
