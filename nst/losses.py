"""The three terms of the objective, each relative to its target.

Gatys, Ecker and Bethge, "Image Style Transfer Using Convolutional Neural Networks" (CVPR 2016), define
content and style loss as sums of squares whose size depends on picture, layer and encoder. Here each is
divided by the energy of its target, so that 1 means "as far away as a blank" and one weight means the
same for every picture, size and encoder.
"""

from __future__ import annotations

import torch
from torch import Tensor


def gram_matrix(features: Tensor) -> Tensor:
    """Return the Gram matrix of a feature map, averaged over positions.

    G_ij = sum_k F_ik F_jk / M, with M = H * W positions (CVPR 2016, equation 3, which does not divide;
    dividing makes feature maps of different sizes comparable).

    Args:
        features: (1, C, H, W), any float type; the products are summed in float32 or better.

    Returns:
        (C, C), float32, or float64 for float64 features.
    """
    flat = features.flatten(2)[0]
    flat = flat if flat.dtype == torch.float64 else flat.float()
    return flat @ flat.T / flat.shape[1]


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


def total_variation(image: Tensor) -> Tensor:
    """Return the mean squared difference between neighbouring pixels, a scalar.

    The quadratic total variation of Mahendran and Vedaldi, "Understanding Deep Image Representations by
    Inverting Them" (CVPR 2015), section 3, beta = 2, over horizontal, vertical and both diagonal
    neighbours; the diagonals, at distance sqrt 2, count half, which makes it the same in all directions.

    Args:
        image: (1, 3, H, W) with H and W at least 2.
    """
    right = (image[..., :, 1:] - image[..., :, :-1]).square().mean()
    down = (image[..., 1:, :] - image[..., :-1, :]).square().mean()
    falling = (image[..., 1:, 1:] - image[..., :-1, :-1]).square().mean()
    rising = (image[..., :-1, 1:] - image[..., 1:, :-1]).square().mean()
    return (right + down + 0.5 * (falling + rising)) / 3
