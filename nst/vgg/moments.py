"""The statistics of a feature map over its positions: mean and Gram matrix."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any, NamedTuple

import torch
from torch import Tensor

# Positions multiplied at a time, so that they stay in the processor's cache.
_CHUNK = 4096


class Moments(NamedTuple):
    """Mean and Gram matrix of a feature map: its statistics over all positions."""

    mean: Tensor  # (C,), float32 or better
    gram: Tensor  # (C, C)

    @property
    def covariance(self) -> Tensor:
        """(C, C)."""
        return self.gram - torch.outer(self.mean, self.mean)


class _Moments(torch.autograd.Function):
    """Mean and Gram matrix; backwards one product, since a Gram matrix is symmetric."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor]:
        channels = features.shape[1]
        # (1, C, H, W) -> (M, C), M = H W; a view where channels come last in memory
        rows = features.permute(0, 2, 3, 1).reshape(-1, channels)
        full = exact_type(features)
        # bfloat16 holds a product over many positions, if rounded; in float16 it would overflow.
        inner = features.dtype if features.dtype == torch.bfloat16 else full
        values = rows.to(inner)
        ctx.shape = features.shape
        if weights is None:
            ctx.save_for_backward(rows)
            # The sum as a product with ones: torch's own makes a copy in float32 first.
            share, weighted = values.new_ones(1, 1).expand(len(rows), 1), values
        else:
            share = weights.to(full).reshape(-1, 1)  # (M, 1)
            # Of mean 1, so that sums are about as large as without weights.
            share = share / share.mean().clamp_min(1e-12)
            ctx.save_for_backward(rows, share)
            share = share.to(inner)
            weighted = values * share
        # (1, C) and (C, C)
        mean, gram = (_product(left, values).to(full) / len(rows) for left in (share, weighted))
        return mean[0], gram

    @staticmethod
    def backward(ctx: Any, mean_gradient: Tensor, gram_gradient: Tensor) -> tuple[Tensor, None]:
        rows, *share = ctx.saved_tensors
        batch, channels, height, width = ctx.shape
        both = ((gram_gradient + gram_gradient.T) / len(rows)).to(rows.dtype)  # (C, C)
        gradient = torch.addmm((mean_gradient / len(rows)).to(rows.dtype), rows, both)  # (M, C)
        if share:
            gradient = gradient * share[0].to(gradient.dtype)
        # Detached: the gradient from deeper layers is not added to a view in place.
        return gradient.view(batch, height, width, channels).permute(0, 3, 1, 2).detach(), None


def _product(left: Tensor, right: Tensor) -> Tensor:
    """Return left^T right, (K, C), of (M, K) and (M, C), summed over chunks in float32 or better."""
    full, whole = exact_type(left), len(left) // _CHUNK * _CHUNK
    total = left.new_zeros(left.shape[1], right.shape[1], dtype=full)
    if whole:  # side by side: one after the other takes longer
        lefts, rights = (each[:whole].unflatten(0, (-1, _CHUNK)) for each in (left, right))
        total += torch.bmm(lefts.transpose(1, 2), rights).to(full).sum(0)
    if whole < len(left):
        total += (left[whole:].T @ right[whole:]).to(full)
    return total


def moments(features: Tensor, weights: Tensor | None = None) -> Moments:
    """Return mean and Gram matrix of a feature map, over positions.

    Args:
        features: (1, C, H, W), any float type. Sums over positions are taken in float32 or better; of
            bfloat16 features every 4,096 positions' product is rounded once.
        weights: (1, 1, H, W), how much each position counts, not negative; equally if left out. Their scale
            does not matter: the Gram matrix is sum_k w_k F_ik F_jk / sum_k w_k (Gatys et al.,
            CVPR 2017, section 4, with w the squared guidance channel). All zero, they give zeros.
    """
    return Moments(*_Moments.apply(features, weights))


def projected(statistics: Moments, matrix: Tensor) -> Moments:
    """Return the statistics of a matrix, (K, C), times the features whose statistics are given."""
    matrix = matrix.to(statistics.gram.dtype)
    return Moments(matrix @ statistics.mean, matrix @ statistics.gram @ matrix.T)


def moments_through(features: Tensor, weights: Tensor | None, matrix: Tensor | None) -> Moments:
    """Return the statistics of a matrix times a feature map, in the way that is less work.

    Args:
        features: (1, C, H, W).
        weights: (1, 1, H, W), how much each position counts; equally if left out.
        matrix: (K, C), the identity if left out.
    """
    if matrix is None:
        return moments(features, weights)
    channels, height, width = features.shape[1:]
    if height * width < channels:  # a matrix times few positions is less than times a Gram matrix
        rows = exact(features).permute(0, 2, 3, 1) @ matrix.to(exact_type(features)).T
        return moments(rows.permute(0, 3, 1, 2), weights)
    return projected(moments(features, weights), matrix)


def average(statistics: Sequence[Moments], shares: Sequence[float | Tensor]) -> Moments:
    """Return the statistics of several feature maps taken as one: the mean of their means and Gram matrices.

    Args:
        statistics: those of each.
        shares: how much each counts, of sum 1.
    """
    return Moments(
        total(share * each.mean for share, each in zip(shares, statistics, strict=True)),
        total(share * each.gram for share, each in zip(shares, statistics, strict=True)),
    )


def gram_matrix(features: Tensor) -> Tensor:
    """Return the Gram matrix of a feature map, averaged over positions.

    G_ij = sum_k F_ik F_jk / M, with M = H * W positions (CVPR 2016, equation 3, which does not divide;
    dividing makes feature maps of different sizes comparable).

    Args:
        features: (1, C, H, W), any float type.

    Returns:
        (C, C), float32, or float64 for float64 features.
    """
    return moments(features).gram


def total(terms: Iterable[Tensor]) -> Tensor:
    """Return the sum of one or more tensors."""
    return reduce(operator.add, terms)


def exact(value: Tensor) -> Tensor:
    """Return a tensor in float32 or better."""
    return value.to(exact_type(value))


def exact_type(value: Tensor) -> torch.dtype:
    """Return float32, or a tensor's own type if that is better."""
    return torch.promote_types(value.dtype, torch.float32)
