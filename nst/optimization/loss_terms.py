"""The losses, each relative to its target, and what they are put together with.

Gatys, Ecker and Bethge, "Image Style Transfer Using Convolutional Neural Networks" (CVPR 2016), define
content and style loss as sums of squares whose size depends on picture, layer and encoder. Here each is
divided by the energy of its target: 1 is about the distance of a blank picture, and a weight means the same
for every picture, size and encoder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from nst.vgg.moments import Moments, exact, exact_type, total


class ContentTarget:
    """A content layer of the photo, and how far others are from it.

    The squared difference of the feature maps (CVPR 2016, equation 1, times 2), divided by the geometric
    mean of the photo's energy and the style's. Divided by the photo's energy alone, it would count too much
    for a soft photo with a strong style.

    Args:
        photo: (1, C, H, W).
        styles: (1, C, h, w) each, of any size; their mean energy counts.
        shares: how much each style counts, of sum 1; equally if left out.
        weights: (1, 1, h, w), how much each part of the photo counts, of mean 1; equally if left out.
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
            self.roots = (weights / weights.mean()).sqrt()  # (1, 1, H, W)
        shares = shares or [1 / len(styles)] * len(styles)
        style = total(share * exact(each).square().mean() for share, each in zip(shares, styles, strict=True))
        self.energy = (exact(photo).square().mean() * style).sqrt().clamp_min(1e-12)

    def distance(self, features: Tensor) -> Tensor:
        """Return how far `features`, (1, C, H, W), are from the photo, a scalar, 0 for the photo itself."""
        return _MeanSquare.apply(features, self.photo, self.roots) / self.energy


def prominence(features: Tensor, strength: float) -> Tensor:
    """Return how much each position stands out from the others, of mean 1.

    The squared distance from the mean over positions, averaged over 3 x 3 positions and to the power of
    `strength`.

    Args:
        features: (1, C, H, W).
        strength: 0 makes all positions count equally.

    Returns:
        (1, 1, H, W), float32.
    """
    features = exact(features)
    energy = (features - features.mean((2, 3), keepdim=True)).square().sum(1, keepdim=True)  # (1, 1, H, W)
    energy = F.avg_pool2d(F.pad(energy, (1, 1, 1, 1), mode="replicate"), 3, 1)
    energy = (energy / energy.mean().clamp_min(1e-12)).clamp(0.05, 4) ** strength
    return energy / energy.mean()


class _MeanSquare(torch.autograd.Function):
    """Mean squared difference from a fixed target, in as few passes over it as possible."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, target: Tensor, roots: Tensor | None) -> Tensor:
        difference = value - target
        if roots is not None:
            difference = difference * roots.to(difference.dtype)
        ctx.save_for_backward(difference, *([] if roots is None else [roots]))
        # One pass, and summed in float32 whatever the values are.
        norm = torch.linalg.vector_norm(difference, dtype=exact_type(difference))
        return norm.square() / difference.numel()

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor, None, None]:
        difference, *roots = ctx.saved_tensors
        gradient = difference * (2 / difference.numel() * outer).to(difference.dtype)
        return gradient * roots[0].to(difference.dtype) if roots else gradient, None, None


# The variance that counts as none, as a share of the mean squared feature.
_HARDLY = 0.01


def plainness(style: Moments) -> Tensor:
    """Return 1 if a style's features hardly vary, as those of a sheet of colour, and near 0 otherwise."""
    energy = style.gram.trace().clamp_min(1e-12)
    return (-style.covariance.trace().clamp_min(0) / (_HARDLY * energy)).exp()


def energy_of(style: Moments, photo: Moments | None) -> Tensor:
    """Return the mean squared feature that a style's distances are relative to, a scalar.

    Its own; of a plain style the photo's as well. A sheet of colour has almost no energy in relu5_1, a
    hundredth to a ten-thousandth of a picture's: relative to that, relu5_1 would outweigh all other layers.

    Args:
        style: its statistics at a layer.
        photo: the photo's, there.
    """
    energy = style.gram.trace()
    if photo is not None:
        energy = energy + plainness(style) * photo.gram.trace()
    return energy.clamp_min(1e-12)


class GaussianTarget:
    """A style layer as a Gaussian distribution of features, and how far others are from it.

    The squared Wasserstein-2 distance of N(m, C) from N(m*, C*) is |m - m*|^2 + B(C, C*), with B the squared
    Bures distance of the covariances. To second order in D = C - C* that is, in the eigenbasis of C* with
    eigenvalues l_i, sum_ij D_ij^2 / (2 (l_i + l_j)) (Bhatia, Jain and Lim, "On the Bures-Wasserstein
    distance between positive definite matrices", 2019). This is what is taken, with the eigenvalues raised by
    `floor` times their own weighted mean: it needs no matrix root per step, is convex in the covariance, and
    the weight of directions that the style hardly uses is bounded. Of a plain style they are raised to a
    share of `energy_of` instead, so that the photo keeps its forms. Divided by that energy it is relative, as
    the other terms are.

    It makes longer strokes and larger swirls than Gram matrices, which are dominated by the means, at equal
    content distance.

    Args:
        target: the style's statistics.
        floor: the higher it is, the less the directions count that the style hardly uses.
        photo: the photo's statistics, for a plain style; left out, such a style counts by its own energy.
        matrix: (K, C), applied to others' activations before they are compared; the identity if left out. It
            becomes one matrix with the projection into the eigenbasis.
    """

    FLOOR = 0.05
    # The floor for a style without variance, as a share of the energy.
    PLAIN = 0.05
    # Entries of an eigenvector, whose length is 1, that are set to 0.
    NOTHING = 1e-12

    def __init__(
        self,
        target: Moments,
        floor: float = FLOOR,
        photo: Moments | None = None,
        matrix: Tensor | None = None,
    ) -> None:
        # (K,) and (K, K)
        eigenvalues, basis = torch.linalg.eigh(target.covariance.double().cpu())
        # Channels that never fire leave entries that are subnormal in float32, which a processor multiplies
        # tens of times as slowly.
        basis[basis.abs() < self.NOTHING] = 0
        self.energy = energy_of(target, photo)
        variances = eigenvalues.clamp_min(0)
        usual = variances.square().sum() / variances.sum().clamp_min(1e-12)
        least = self.PLAIN * plainness(target) * self.energy
        raised = variances + floor * usual + least.double().cpu() + 1e-12
        projection, self.eigenvalues, self.weights = (
            each.to(target.gram) for each in (basis.T, eigenvalues, 0.5 / (raised[:, None] + raised))
        )
        self.mean = projection @ target.mean  # (K,), in the eigenbasis
        if matrix is not None:
            projection = projection @ matrix.to(target.gram)
            projection[projection.abs() < self.NOTHING * projection.abs().max()] = 0
        self.projection = projection  # (K, C), into the eigenbasis

    def distance(self, statistics: Moments) -> Tensor:
        """Return how far statistics of projected features are from the target, 0 for the style's own."""
        return _GaussianDistance.apply(*statistics, self.mean, self.eigenvalues, self.weights) / self.energy


class _GaussianDistance(torch.autograd.Function):
    """A Gaussian's distance from one in its own eigenbasis, with few passes over its covariance."""

    @staticmethod
    def forward(
        ctx: Any, mean: Tensor, gram: Tensor, goal: Tensor, eigenvalues: Tensor, weights: Tensor
    ) -> Tensor:
        apart = mean - goal
        difference = gram.addr(mean, mean, alpha=-1)  # (K, K)
        difference.diagonal().sub_(eigenvalues)
        weighted = weights * difference
        ctx.save_for_backward(mean, apart, weighted)
        return apart.square().sum() + torch.dot(weighted.flatten(), difference.flatten())

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> tuple[Tensor | None, ...]:
        mean, apart, weighted = ctx.saved_tensors
        slope = weighted * (2 * outer)  # symmetric
        return 2 * outer * apart - 2 * (slope @ mean), slope, None, None, None


class GramTarget:
    """A style layer's Gram matrix, and how far others are from it (CVPR 2016, equation 4, made relative).

    Args:
        target: the style's statistics.
        photo: the photo's statistics, for a plain style.
        matrix: (K, C), applied to others' activations before they are compared.
    """

    def __init__(self, target: Moments, photo: Moments | None = None, matrix: Tensor | None = None) -> None:
        self.target, self.projection = target.gram, matrix  # (K, K) and (K, C)
        self.share = target.gram.trace().clamp_min(1e-12) / energy_of(target, photo)

    def distance(self, statistics: Moments) -> Tensor:
        """Return how far statistics of projected features are from the target, 0 for the style's own."""
        return relative_error(statistics.gram, self.target) * self.share.square()


StyleTarget = GaussianTarget | GramTarget


def relative_error(value: Tensor, target: Tensor) -> Tensor:
    """Return |value - target|^2 / |target|^2, a scalar; 0 is a perfect match.

    With Gram matrices this is one layer's style loss (CVPR 2016, equation 4) times 4 N^2 M^2 / |A|^2.

    Args:
        value: any shape.
        target: the same shape. An all-zero target counts as energy 1e-12 instead of dividing by zero.
    """
    value, target = exact(value), exact(target)
    return (value - target).square().sum() / target.square().sum().clamp_min(1e-12)


class _TotalVariation(torch.autograd.Function):
    """Value and gradient in one pass: both need the same differences."""

    @staticmethod
    def forward(ctx: Any, image: Tensor) -> Tensor:
        gradient = torch.zeros_like(image)
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
            gradient[..., y1, x1].add_(difference, alpha=2 * weight)
            gradient[..., y0, x0].sub_(difference, alpha=2 * weight)
        ctx.save_for_backward(gradient)
        return value

    @staticmethod
    def backward(ctx: Any, outer: Tensor) -> Tensor:
        (gradient,) = ctx.saved_tensors
        return outer * gradient


def total_variation(image: Tensor) -> Tensor:
    """Return the mean squared difference between neighbouring pixels, a scalar.

    The quadratic total variation of Mahendran and Vedaldi, "Understanding Deep Image Representations by
    Inverting Them" (CVPR 2015), section 3, beta = 2, over horizontal, vertical and both diagonal
    neighbours; the diagonals, at distance sqrt 2, count half, which makes it the same in all directions.

    Args:
        image: (1, 3, H, W) with H and W at least 2.
    """
    return _TotalVariation.apply(image)


class Seen(NamedTuple):
    """An image and what the encoder sees in it."""

    image: Tensor  # (1, C, H, W)
    features: dict[str, Tensor]  # content layer -> (1, C, h, w)
    statistics: dict[str, tuple[Moments, ...]]  # style layer -> those of each region, projected


@dataclass(frozen=True)
class Weighted:
    """A loss and how much it counts."""

    weight: float
    loss: Callable[[Seen], Tensor]


class Mean:
    """The weighted mean of losses.

    Args:
        losses: one or more, their weights not all 0.
        device: where they are computed.
    """

    def __init__(self, losses: Sequence[Weighted], device: torch.device) -> None:
        self.losses = [each.loss for each in losses]
        self.weights = torch.tensor([each.weight for each in losses], dtype=torch.float32, device=device)
        self.sum = self.weights.sum()

    def __call__(self, seen: Seen) -> Tensor:
        """Return the mean, a scalar."""
        return (self.weights * torch.stack([loss(seen) for loss in self.losses])).sum() / self.sum


@dataclass(frozen=True)
class ContentLoss:
    """How far an image is from the photo in one layer."""

    layer: str
    target: ContentTarget

    def __call__(self, seen: Seen) -> Tensor:
        """Return the distance, a scalar."""
        return self.target.distance(seen.features[self.layer])


@dataclass(frozen=True)
class StyleLoss:
    """How far an image is from the styles in one layer, the regions counting by their area."""

    layer: str
    targets: Sequence[StyleTarget]  # one for each region
    areas: Tensor  # (regions,), shares of the image

    def __call__(self, seen: Seen) -> Tensor:
        """Return the distance, a scalar."""
        regions = zip(self.targets, seen.statistics[self.layer], strict=True)
        return (self.areas * torch.stack([target.distance(each) for target, each in regions])).sum()


@dataclass(frozen=True)
class TotalVariationLoss:
    """An image's total variation against what is usual."""

    usual: Tensor  # scalar

    def __call__(self, seen: Seen) -> Tensor:
        """Return the ratio, a scalar."""
        return total_variation(seen.image) / self.usual
