"""Seconds to a given quality: this project against the classic recipe."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nst.errors import InputError
from nst.image.picture_files import load_image
from nst.image.tensors import to_pixels
from nst.lab.quality import Yardstick
from nst.lab.recipes import classic
from nst.optimization.encoders import load_encoders
from nst.painting import stylize
from nst.settings import Settings
from nst.vgg.encoder import Encoder
from nst.vgg.weights import find_vgg19

PAINTERS = ("vgg19", "refined", "narrow")
LADDER = (10, 20, 30, 40, 60, 80, 120, 160, 240, 400)


def measure(
    *,
    photo: Path,
    style: Path,
    settings: Settings,
    painters: Sequence[str] = PAINTERS,
    ladder: Sequence[int] = LADDER,
    iterations: int = 500,
) -> dict[str, Any]:
    """Return what each painter reached in which time, and the ratios of the times.

    The classic recipe paints once and is measured on the way, which is not counted. Ours paint anew for every
    number of iterations of the ladder, timed from the call of `stylize` to the finished picture, frames
    included. Loading of weights is not counted, and each paints a little beforehand.

    Args:
        photo: file of the photo.
        style: file of the style picture.
        settings: how ours paint; `weights` names the file for all.
        painters: which of our encoders.
        ladder: numbers of iterations for ours, rising.
        iterations: the classic recipe's.

    Raises:
        InputError: a picture or VGG-19's weights cannot be used.
    """
    content, painting = load_image(photo, "The photo"), load_image(style, "The style picture")
    convolutions = find_vgg19(settings.weights)
    yardstick = Yardstick(convolutions)
    rows = [_classic(convolutions, content, painting, settings.size, iterations, yardstick)]
    base = rows[0][-1]
    for name in painters:
        own = replace(settings, encoder=name)
        encoders = load_encoders(own)
        list(stylize(content, painting, replace(own, iterations=10), encoder=encoders))
        ours = []
        for count in ladder:
            began = time.perf_counter()
            *_, frame = stylize(content, painting, replace(own, iterations=count), encoder=encoders)
            seconds = time.perf_counter() - began
            ours.append(_row(name, count, frame.image, seconds, yardstick, content, painting))
            if ours[-1]["residual"] <= base["residual"] / 10:
                break
        rows.append(ours)
    return {
        "pair": [photo.name, style.name],
        "settings": settings.public(),
        "rows": [row for ours in rows for row in ours],
        "ratios": [ratio for ours in rows[1:] for share in (1, 0.1) for ratio in _ratio(ours, base, share)],
    }


def _classic(
    convolutions: Mapping[str, Tensor],
    content: Tensor,
    painting: Tensor,
    size: int,
    iterations: int,
    yardstick: Yardstick,
) -> list[dict[str, Any]]:
    encoder = Encoder(convolutions, name="VGG-19", device=yardstick.encoder.device, precision=torch.float32)
    content, painting = content.to(encoder.device), painting.to(encoder.device)
    classic(encoder, content, painting, size, iterations=2)
    marks = {round(iterations * share) for share in (0.1, 0.2, 0.4, 0.7)}
    snapshots: list[tuple[int, float, np.ndarray]] = []
    aside = 0.0  # seconds spent on looking
    began = time.perf_counter()

    def seen(iteration: int, image: Tensor) -> None:
        nonlocal aside
        if iteration in marks:
            stopped = time.perf_counter()
            snapshots.append((iteration, stopped - began - aside, to_pixels(image)))
            aside += time.perf_counter() - stopped

    image = classic(encoder, content, painting, size, iterations=iterations, seen=seen)
    seconds = time.perf_counter() - began - aside
    snapshots.append((iterations, seconds, to_pixels(image)))
    return [_row("classic", n, pixels, s, yardstick, content, painting) for n, s, pixels in snapshots]


def _row(
    name: str,
    iterations: int,
    pixels: np.ndarray,
    seconds: float,
    yardstick: Yardstick,
    content: Tensor,
    painting: Tensor,
) -> dict[str, Any]:
    score = yardstick.measure(pixels, content, painting)
    return {
        "painter": name,
        "iterations": iterations,
        "seconds": seconds,
        "residual": score.residual,
        "content": score.content,
    }


def _ratio(rows: list[dict[str, Any]], base: dict[str, Any], share: float) -> list[dict[str, Any]]:
    """Return how much faster the first row is that comes to `share` of the base's residual, if one does."""
    for row in rows:
        if row["residual"] <= share * base["residual"] and row["content"] <= base["content"]:
            return [{**row, "share": share, "times faster": base["seconds"] / row["seconds"]}]
    return []


def table(findings: dict[str, Any]) -> str:
    """Return `measure`'s findings as text."""
    lines = [
        " with ".join(findings["pair"]),
        f"{'painter':10} {'iterations':>10} {'seconds':>8} {'residual':>9} {'content':>8}",
    ]
    lines += [
        f"{row['painter']:10} {row['iterations']:10} {row['seconds']:8.1f} {row['residual']:9.4f}"
        f" {row['content']:8.3f}"
        for row in findings["rows"]
    ]
    for ratio in findings["ratios"]:
        goal = "classic's residual" if ratio["share"] == 1 else "a tenth of it"
        lines.append(
            f"{ratio['painter']} has {goal}, at no more content distance, after {ratio['seconds']:.1f} s:"
            f" 1/{ratio['times faster']:.0f} of classic's time"
        )
    return "\n".join(lines)


def need_matplotlib() -> None:
    """Make sure, before anything is measured, that `plot` will work.

    Raises:
        InputError: matplotlib is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise InputError("The plot needs matplotlib; install it with pip install matplotlib.") from error


def plot(findings: dict[str, Any], file: Path) -> None:
    """Draw residual against seconds, both logarithmic."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for name in dict.fromkeys(row["painter"] for row in findings["rows"]):
        rows = [row for row in findings["rows"] if row["painter"] == name]
        axes.plot([row["seconds"] for row in rows], [row["residual"] for row in rows], "o-", label=name)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="seconds",
        ylabel="mean relative Gram residual",
        title=" with ".join(findings["pair"]),
    )
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(file)
