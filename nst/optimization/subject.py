"""Which parts of a painting show its subject, so that its manner can be taken without it."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from nst.vgg.moments import exact

# Of the knob: all of the subject counts.
MOST_SUBJECT = 10.0
# Positions along the longest side at which a painting is looked at, whatever its size: those of 384 px.
_POSITIONS = 24
# Other positions count as elsewhere from this share of the longest side on.
_ELSEWHERE = 0.3
# How many of the positions elsewhere, as a share of all, say how well a position recurs.
_RECURRING = 0.15
# The score at which a position is half subject, how fast that changes, and the power of recurrence in it.
_SUBJECT, _POWER, _RECURRENCE = 0.65, 12.0, 5.0


def manner(features: Tensor, subject: float, part: Tensor | None = None) -> Tensor:
    """Return how much each position of a painting counts where its large shapes are compared.

    Statistics of deep layers over all positions ask for the painting's subject to be somewhere, and a
    portrait's face is then painted into the sky. Two things mark a position of the subject: it stands out
    (the energy of its features less their mean), and little elsewhere in the painting is like it (the
    cosine similarity with the positions elsewhere that are most like it). A star of The Starry Night stands
    out and recurs; a face stands out alone. With s = energy / recurrence^5, both relative to their means,
    a position counts 1 / (1 + (s / 0.65)^12). quality.md says what it was chosen by.

    Args:
        features: (1, C, H, W) of the deepest layer.
        subject: 0 leaves the subject out, 10 counts all positions equally, between them in proportion.
        part: (1, 1, H, W), which positions are looked at; all of them if left out.

    Returns:
        (1, 1, H, W), float32, in [0, 1].
    """
    size = (features.shape[-2], features.shape[-1])
    shrink = min(1.0, _POSITIONS / max(size))
    small = (max(1, round(size[0] * shrink)), max(1, round(size[1] * shrink)))
    seen = F.adaptive_avg_pool2d(exact(features), small)
    counts = torch.ones_like(seen[:, :1]) if part is None else F.adaptive_avg_pool2d(part.to(seen), small)
    counts = counts / counts.mean().clamp_min(1e-12)
    centered = seen - (seen * counts).mean((2, 3), keepdim=True)
    energy = _averaged(centered.square().sum(1, keepdim=True))
    recurrence = _recurrence(centered, counts)
    score = _relative(energy, counts) / _relative(recurrence, counts).clamp_min(1e-3) ** _RECURRENCE
    # As a sigmoid, which no score makes overflow.
    found = torch.sigmoid(_POWER * (score.clamp_min(1e-12).log() - math.log(_SUBJECT)))
    return 1 - (1 - subject / MOST_SUBJECT) * F.interpolate(found, size, mode="bilinear")


def _recurrence(centered: Tensor, counts: Tensor) -> Tensor:
    """Return how like each position is to the positions elsewhere that are most like it, (1, 1, H, W)."""
    height, width = centered.shape[-2:]
    places = torch.cartesian_prod(torch.arange(height), torch.arange(width)).to(centered)  # (M, 2)
    elsewhere = torch.cdist(places, places) > _ELSEWHERE * max(height, width)
    directions = F.normalize(centered[0].flatten(1), dim=0)  # (C, M)
    alike = (directions.T @ directions).clamp_min(0) * elsewhere * counts.flatten().clamp_max(1)  # (M, M)
    best = alike.topk(max(1, round(_RECURRING * len(places))), 1).values.mean(1)
    return _averaged(best.view(1, 1, height, width))


def _relative(values: Tensor, counts: Tensor) -> Tensor:
    """Return values over their mean; ones if all are 0, as for a plain sheet or a single position."""
    mean = (values * counts).mean()
    return torch.where(mean > 1e-12, values / mean.clamp_min(1e-12), torch.ones_like(values))


def _averaged(values: Tensor) -> Tensor:
    """Return means over 3 x 3 positions."""
    return F.avg_pool2d(F.pad(values, (1, 1, 1, 1), mode="replicate"), 3, 1)
