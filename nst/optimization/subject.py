"""Which parts of a painting show its subject, so that its manner can be taken without it."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from nst.vgg.moments import exact

# Of the knob: all positions count alike.
MOST_SUBJECT = 10.0
# Positions along the longest side at which a painting is judged, whatever its size: those of 384 px.
_POSITIONS = 24
# Other positions count as elsewhere from this share of the longest side on.
_ELSEWHERE = 0.2
# How many of the positions elsewhere, as a share of all, say how well a position recurs.
_RECURRING = 0.1
# Energies below this share of the mean, and recurrences above this quantile, are as good as any: a plain
# sky recurs best of all, and must not be all that is taken of a seascape.
_PLAIN, _OFTEN = 0.5, 0.75
# Powers of both.
_ENERGY, _RECURRENCE = 2.0, 6.0


def manner(features: Tensor, subject: float, part: Tensor | None = None) -> Tensor:
    """Return how much each position of a painting counts where its large shapes are compared.

    Statistics of deep layers over all positions ask for the painting's subject to be somewhere, and a
    portrait's face is then painted into the sky. A position of the subject is told by two things: it stands
    out (the energy of its features less their mean), and nothing elsewhere in the painting is like it (the
    cosine similarity with the most similar positions elsewhere). A star of The Starry Night stands out and
    recurs; a face stands out alone. The weight is recurrence^6 / energy^2, both clamped, both to the power
    of 1 - subject / 10.

    Args:
        features: (1, C, H, W) of the deepest layer.
        subject: 0 leaves the subject out, 10 makes all positions alike.
        part: (1, 1, H, W), which positions are taken at all; all alike if left out.

    Returns:
        (1, 1, H, W), float32, of mean 1.
    """
    size = features.shape[-2:]
    weights = features.new_ones(1, 1, *size, dtype=torch.float32)
    power = 1 - subject / MOST_SUBJECT
    if power:
        shrink = min(1.0, _POSITIONS / max(size))
        small = (max(1, round(size[0] * shrink)), max(1, round(size[1] * shrink)))
        seen = F.adaptive_avg_pool2d(exact(features), small)
        counts = torch.ones_like(seen[:, :1]) if part is None else F.adaptive_avg_pool2d(part, small)
        found = (_recurrence(seen, counts) ** _RECURRENCE / _energy(seen, counts) ** _ENERGY) ** power
        weights = F.interpolate(found / found.mean(), size, mode="bilinear")
    if part is not None:
        weights = weights * part
    return weights / weights.mean().clamp_min(1e-12)


def _energy(features: Tensor, counts: Tensor) -> Tensor:
    """Return how far each position is from the mean, squared, 1 for the mean of all, clamped."""
    energy = _smooth(_centered(features, counts).square().sum(1, keepdim=True))
    usual = (energy * counts).sum() / counts.sum().clamp_min(1e-12)
    return (energy / usual.clamp_min(1e-12)).clamp_min(_PLAIN)


def _recurrence(features: Tensor, counts: Tensor) -> Tensor:
    """Return how like each position is to the positions elsewhere that are most like it, clamped."""
    height, width = features.shape[-2:]
    places = torch.cartesian_prod(torch.arange(height), torch.arange(width)).to(features)  # (M, 2)
    elsewhere = torch.cdist(places, places) > _ELSEWHERE * max(height, width)
    directions = F.normalize(_centered(features, counts)[0].flatten(1), dim=0)  # (C, M)
    alike = (directions.T @ directions).clamp_min(0) * elsewhere * counts.flatten()  # (M, M)
    best = alike.topk(max(1, round(_RECURRING * len(places))), 1).values.mean(1)
    best = _smooth(best.view(1, 1, height, width)).clamp_min(1e-3)
    return best.clamp_max(best.flatten().quantile(_OFTEN))


def _centered(features: Tensor, counts: Tensor) -> Tensor:
    """Return features less their mean."""
    return features - (features * counts).sum((2, 3), keepdim=True) / counts.sum().clamp_min(1e-12)


def _smooth(values: Tensor) -> Tensor:
    """Return means over 3 x 3 positions."""
    return F.avg_pool2d(F.pad(values, (1, 1, 1, 1), mode="replicate"), 3, 1)
