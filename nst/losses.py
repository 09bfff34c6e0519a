"""The three terms of the objective, each relative to its target.

Gatys, Ecker and Bethge, "Image Style Transfer Using Convolutional Neural Networks" (CVPR 2016), define
content and style loss as sums of squares whose size depends on picture, layer and encoder. Here each is
divided by the energy of its target, so that 1 means "as far away as a blank" and one weight means the
same for every picture, size and encoder.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

# Positions multiplied at a time: they stay in the processor's cache.
_CHUNK = 8192


class _Gram(torch.autograd.Function):
    """The Gram matrix with a backward pass of one product: the incoming slope is taken as G's, symmetric."""

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        channels = features.shape[1]
        rows = features.permute(0, 2, 3, 1).reshape(-1, channels)  # a view where channels come last in memory
        ctx.save_for_backward(rows)
        ctx.shape = features.shape
        exact = torch.promote_types(features.dtype, torch.float32)
        # bfloat16 holds a product over many positions, if rounded; in float16 it would overflow.
        inner = features.dtype if features.dtype == torch.bfloat16 else exact
        parts = (part.to(inner) for part in rows.split(_CHUNK))
        gram = sum((part.T @ part).to(exact) for part in parts)
        return gram / len(rows)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> Tensor:
        (rows,) = ctx.saved_tensors
        batch, channels, height, width = ctx.shape
        both = ((slope + slope.T) / len(rows)).to(rows.dtype)
        return (rows @ both).view(batch, height, width, channels).permute(0, 3, 1, 2)


def gram_matrix(features: Tensor) -> Tensor:
    """Return the Gram matrix of a feature map, averaged over positions.

    G_ij = sum_k F_ik F_jk / M, with M = H * W positions (CVPR 2016, equation 3, which does not divide;
    dividing makes feature maps of different sizes comparable).

    Args:
        features: (1, C, H, W), any float type; the products are summed in float32 or better.

    Returns:
        (C, C), float32, or float64 for float64 features.
    """
    return _Gram.apply(features)


def relative_error(value: Tensor, target: Tensor) -> Tensor:
    """Return |value - target|^2 / |target|^2, a scalar; 0 is a perfect match.

    With feature maps this is the content loss (CVPR 2016, equation 1) times 2 / |P|^2; with Gram
    matrices it is one layer's style loss (equation 4) times 4 N^2 M^2 / |A|^2.

    Args:
        value: any shape.
        target: the same shape. An all-zero target counts as energy 1e-12 instead of dividing by zero.
    """
    if target.dtype != torch.float64:
        value, target = value.float(), target.float()
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
