"""The three terms of the objective, each relative to its target.

Gatys, Ecker and Bethge, "Image Style Transfer Using Convolutional Neural Networks" (CVPR 2016), define
content and style loss as sums of squares whose size depends on picture, layer and encoder. Here each is
divided by the energy of what it is compared with, so that 1 means about "as far away as a blank" and one
weight means the same for every picture, size and encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

# Positions multiplied at a time: they stay in the processor's cache.
_CHUNK = 4096


class Moments(NamedTuple):
    """Mean and Gram matrix of a feature map: its statistics over all positions."""

    mean: Tensor  # (C,), float32 or better
    gram: Tensor  # (C, C), likewise

    @property
    def covariance(self) -> Tensor:
        """(C, C)."""
        return self.gram - torch.outer(self.mean, self.mean)


class _Moments(torch.autograd.Function):
    """Mean and Gram matrix with one product backwards: the slope of the Gram matrix is taken as symmetric."""

    @staticmethod
    def forward(ctx: Any, features: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor]:
        channels = features.shape[1]
        rows = features.permute(0, 2, 3, 1).reshape(-1, channels)  # a view where channels come last in memory
        exact = _exact_type(features)
        # bfloat16 holds a product over many positions, if rounded; in float16 it would overflow.
        inner = features.dtype if features.dtype == torch.bfloat16 else exact
        values = rows.to(inner)
        ctx.shape = features.shape
        if weights is None:
            ctx.save_for_backward(rows)
            # The sum as a product with ones: torch's own makes a copy in float32 first.
            share, weighted = values.new_ones(1, 1).expand(len(rows), 1), values
        else:
            share = weights.to(exact).reshape(-1, 1)
            # Of mean 1, so that sums are about as large as without weights.
            share = share / share.mean().clamp_min(1e-12)
            ctx.save_for_backward(rows, share)
            share = share.to(inner)
            weighted = values * share
        mean, gram = (_product(left, values).to(exact) / len(rows) for left in (share, weighted))
        return mean[0], gram

    @staticmethod
    def backward(ctx: Any, mean_slope: Tensor, gram_slope: Tensor) -> tuple[Tensor, None]:
        rows, *share = ctx.saved_tensors
        batch, channels, height, width = ctx.shape
        both = ((gram_slope + gram_slope.T) / len(rows)).to(rows.dtype)
        slope = torch.addmm((mean_slope / len(rows)).to(rows.dtype), rows, both)
        if share:
            slope = slope * share[0].to(slope.dtype)
        return slope.view(batch, height, width, channels).permute(0, 3, 1, 2), None


def _product(left: Tensor, right: Tensor) -> Tensor:
    """Return left^T right, (K, C), of (M, K) and (M, C), summed over chunks in float32 or better."""
    exact, whole = _exact_type(left), len(left) // _CHUNK * _CHUNK
    total = left.new_zeros(left.shape[1], right.shape[1], dtype=exact)
    if whole:  # side by side they were seen to be faster than one after the other
        lefts, rights = (each[:whole].unflatten(0, (-1, _CHUNK)) for each in (left, right))
        total += torch.bmm(lefts.transpose(1, 2), rights).to(exact).sum(0)
    if whole < len(left):
        total += (left[whole:].T @ right[whole:]).to(exact)
    return total


def moments(features: Tensor, weights: Tensor | None = None) -> Moments:
    """Return mean and Gram matrix of a feature map, over positions.

    Args:
        features: (1, C, H, W), any float type. Sums over positions are taken in float32 or better; of
            bfloat16 features every 4,096 positions' product is rounded once.
        weights: (1, 1, H, W), how much each position counts, not negative; alike if left out. Their scale
            does not matter: the Gram matrix is sum_k w_k F_ik F_jk / sum_k w_k (Gatys et al.,
            CVPR 2017, section 4, with w the squared guidance channel). All zero, they give zeros.
    """
    return Moments(*_Moments.apply(features, weights))


def average(found: Sequence[Moments], shares: Sequence[float]) -> Moments:
    """Return the statistics of several feature maps taken as one; the covariance itself would not average.

    Args:
        found: the statistics of each.
        shares: how much each counts, of sum 1.
    """
    return Moments(
        sum(share * each.mean for share, each in zip(shares, found, strict=True)),
        sum(share * each.gram for share, each in zip(shares, found, strict=True)),
    )


class ContentTarget:
    """A content layer of the photo, and how far others are from it.

    The squared difference of the feature maps (CVPR 2016, equation 1, times 2), divided by the geometric
    mean of the photo's energy and the style's. Against the photo's energy alone a soft photo would hold out
    against a strong style: on the cat of scikit-image with Composition VII the style residual was 0.05, with
    this it is 0.03.

    Args:
        photo: (1, C, H, W).
        styles: (1, C, h, w) each, of any size; their mean energy counts.
        shares: how much each style counts, of sum 1; alike if left out.
        weights: (1, 1, h, w), how much each part of the photo counts, of mean 1; alike if left out.
    """

    def __init__(
        self,
        photo: Tensor,
        styles: Sequence[Tensor],
        shares: Sequence[float] | None = None,
        weights: Tensor | None = None,
    ) -> None:
        self.photo = photo
        self.roots = None
        if weights is not None:
            weights = F.interpolate(weights, photo.shape[-2:], mode="bilinear")
            self.roots = (weights / weights.mean()).sqrt()
        shares = shares or [1 / len(styles)] * len(styles)
        style = sum(share * _exact(each).square().mean() for share, each in zip(shares, styles, strict=True))
        self.energy = (_exact(photo).square().mean() * style).sqrt().clamp_min(1e-12)

    def distance(self, found: Tensor) -> Tensor:
        """Return how far `found`, (1, C, H, W), is from the photo, a scalar, 0 for the photo itself."""
        return _MeanSquare.apply(found, self.photo, self.roots) / self.energy


def prominence(features: Tensor, strength: float) -> Tensor:
    """Return how much each position stands out from the others, of mean 1.

    The squared distance from the mean over positions, averaged over 3 x 3 positions and to the power of
    `strength`.

    Args:
        features: (1, C, H, W).
        strength: 0 makes all positions alike.

    Returns:
        (1, 1, H, W), float32.
    """
    features = _exact(features)
    energy = (features - features.mean((2, 3), keepdim=True)).square().sum(1, keepdim=True)
    energy = F.avg_pool2d(F.pad(energy, (1, 1, 1, 1), mode="replicate"), 3, 1)
    energy = (energy / energy.mean().clamp_min(1e-12)).clamp(0.05, 4) ** strength
    return energy / energy.mean()


class _MeanSquare(torch.autograd.Function):
    """Mean squared difference from a fixed target, with no more passes over it than it takes."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, target: Tensor, roots: Tensor | None) -> Tensor:
        apart = value - target
        if roots is not None:
            apart = apart * roots.to(apart.dtype)
        ctx.save_for_backward(apart, *([] if roots is None else [roots]))
        # One pass, and summed in float32 whatever the values are.
        return torch.linalg.vector_norm(apart, dtype=_exact_type(apart)).square() / apart.numel()

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None, None]:
        apart, *roots = ctx.saved_tensors
        gradient = apart * (2 / apart.numel() * slope).to(apart.dtype)
        return gradient * roots[0].to(apart.dtype) if roots else gradient, None, None


def _exact(value: Tensor) -> Tensor:
    return value.to(_exact_type(value))


def _exact_type(value: Tensor) -> torch.dtype:
    return torch.promote_types(value.dtype, torch.float32)


def gram_matrix(features: Tensor) -> Tensor:
    """Return the Gram matrix of a feature map, averaged over positions.

    G_ij = sum_k F_ik F_jk / M, with M = H * W positions (CVPR 2016, equation 3, which does not divide;
    dividing makes feature maps of different sizes comparable).

    Args:
        features: (1, C, H, W), as for `moments`.

    Returns:
        (C, C), float32, or float64 for float64 features.
    """
    return moments(features).gram


# The variance that counts as none, as a share of the mean squared feature.
_HARDLY = 0.01


def plainness(style: Moments) -> Tensor:
    """Return 1 if a style's features hardly vary, as those of a sheet of colour, and near 0 otherwise."""
    energy = style.gram.trace().clamp_min(1e-12)
    return (-style.covariance.trace().clamp_min(0) / (_HARDLY * energy)).exp()


def energy_of(style: Moments, photo: Moments | None) -> Tensor:
    """Return the mean squared feature that a style's distances are relative to, a scalar.

    Its own; of a plain style the photo's as well. A sheet of colour has next to nothing in relu5_1, a
    hundredth to a ten-thousandth of what pictures have: relative to that, the photo's features there would
    count more than all else, and the sheet's colour for nothing.

    Args:
        style: its statistics at a layer.
        photo: the photo's, there.
    """
    energy = style.gram.trace()
    if photo is not None:
        energy = energy + plainness(style) * photo.gram.trace()
    return energy.clamp_min(1e-12)


class NormalTarget:
    """A style layer as a normal distribution of features, and how far others are from it.

    The squared Wasserstein-2 distance of N(m, C) from N(m*, C*) is |m - m*|^2 + B(C, C*), with B the squared
    Bures distance of the covariances. To second order in D = C - C* that is, in the eigenbasis of C* with
    eigenvalues l_i, sum_ij D_ij^2 / (2 (l_i + l_j)) (Bhatia, Jain and Lim, "On the Bures-Wasserstein
    distance between positive definite matrices", 2019). This is what is taken, with the eigenvalues raised by
    `floor` times their own weighted mean: it needs no matrix root per step, is convex in the covariance, and
    directions that the style hardly uses do not count without bound. Of a plain style they are raised to a
    share of `energy_of` instead, so that the photo keeps its forms. Divided by that energy it is relative, as
    the other terms are.

    Against Gram matrices, which are dominated by the means, it makes long strokes and large swirls at equal
    content distance.

    Args:
        target: the style's statistics.
        floor: the higher, the less count directions that the style hardly uses.
        photo: the photo's statistics, for a plain style; left out, such a style counts by its own energy.
    """

    FLOOR = 0.05
    # The floor for a style without variance, as a share of the energy.
    PLAIN = 0.05

    def __init__(self, target: Moments, floor: float = FLOOR, photo: Moments | None = None) -> None:
        self.target = target
        values, basis = torch.linalg.eigh(target.covariance.double().cpu())
        values = values.clamp_min(0)
        self.energy = energy_of(target, photo)
        mean = values.square().sum() / values.sum().clamp_min(1e-12)
        least = self.PLAIN * plainness(target) * self.energy
        values = values + floor * mean + least.double().cpu() + 1e-12
        device, dtype = target.gram.device, target.gram.dtype
        self.basis = basis.to(device, dtype)
        self.weights = (0.5 / (values[:, None] + values)).to(device, dtype)

    def distance(self, found: Moments) -> Tensor:
        """Return how far `found` is from the target, a scalar, 0 for the style itself."""
        apart = self.basis.T @ (found.covariance - self.target.covariance) @ self.basis
        spread = (apart.square() * self.weights).sum()
        return ((found.mean - self.target.mean).square().sum() + spread) / self.energy


class GramTarget:
    """A style layer's Gram matrix, and how far others are from it (CVPR 2016, equation 4, made relative).

    Args:
        target: the style's statistics.
        photo: as for `NormalTarget`.
    """

    def __init__(self, target: Moments, photo: Moments | None = None) -> None:
        self.target = target.gram
        self.share = target.gram.trace().clamp_min(1e-12) / energy_of(target, photo)

    def distance(self, found: Moments) -> Tensor:
        """Return how far `found` is from the target, a scalar, 0 for the style itself."""
        return relative_error(found.gram, self.target) * self.share.square()


StyleTarget = NormalTarget | GramTarget


def relative_error(value: Tensor, target: Tensor) -> Tensor:
    """Return |value - target|^2 / |target|^2, a scalar; 0 is a perfect match.

    With Gram matrices this is one layer's style loss (CVPR 2016, equation 4) times 4 N^2 M^2 / |A|^2.

    Args:
        value: any shape.
        target: the same shape. An all-zero target counts as energy 1e-12 instead of dividing by zero.
    """
    value, target = _exact(value), _exact(target)
    return (value - target).square().sum() / target.square().sum().clamp_min(1e-12)


class _TotalVariation(torch.autograd.Function):
    """Value and gradient in one pass: both need the same differences."""

    @staticmethod
    def forward(ctx: Any, image: Tensor) -> Tensor:
        slope = torch.zeros_like(image)
        value = image.new_zeros(())
        after, before, all_of = slice(1, None), slice(None, -1), slice(None)
        for share, (y1, x1), (y0, x0) in (
            (1.0, (all_of, after), (all_of, before)),
            (1.0, (after, all_of), (before, all_of)),
            (0.5, (after, after), (before, before)),
            (0.5, (before, after), (after, before)),
        ):
            difference = image[..., y1, x1] - image[..., y0, x0]
            weight = share / 3 / difference.numel()
            value += weight * difference.square().sum()
            slope[..., y1, x1].add_(difference, alpha=2 * weight)
            slope[..., y0, x0].sub_(difference, alpha=2 * weight)
        ctx.save_for_backward(slope)
        return value

    @staticmethod
    def backward(ctx: Any, scale: Tensor) -> Tensor:
        (slope,) = ctx.saved_tensors
        return scale * slope


def total_variation(image: Tensor) -> Tensor:
    """Return the mean squared difference between neighbouring pixels, a scalar.

    The quadratic total variation of Mahendran and Vedaldi, "Understanding Deep Image Representations by
    Inverting Them" (CVPR 2015), section 3, beta = 2, over horizontal, vertical and both diagonal
    neighbours; the diagonals, at distance sqrt 2, count half, which makes it the same in all directions.

    Args:
        image: (1, 3, H, W) with H and W at least 2.
    """
    return _TotalVariation.apply(image)
