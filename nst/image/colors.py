"""Colours: luminance apart from chroma, and one picture's palette for another."""

from __future__ import annotations

import torch
from torch import Tensor

# ITU-R BT.601, on gamma-encoded values as in Y'CbCr.
_LUMA = (0.299, 0.587, 0.114)
# The most by which the channels of a grey picture differ, by rounding and JPEG.
_NEUTRAL = 2.5 / 255


def luminance(image: Tensor) -> Tensor:
    """Return the luma of (1, 3, H, W) RGB as (1, 1, H, W); of one channel, that channel."""
    if image.shape[1] == 1:
        return image
    return torch.einsum("nchw,c->nhw", image, image.new_tensor(_LUMA))[:, None]


def is_grey(image: Tensor) -> bool:
    """Return whether (1, C, H, W) in [0, 1] has no colour beyond what rounding makes."""
    return bool((image.amax(1) - image.amin(1)).max() < _NEUTRAL)


def with_luminance(image: Tensor, light: Tensor) -> Tensor:
    """Return `image` with another luma and the same chroma.

    Gatys, Bethge, Hertzmann and Shechtman, "Preserving Color in Neural Artistic Style Transfer" (2016),
    section 4. Where no colour of [0, 1] has both, the luma gives way: the chroma is always the image's.

    Args:
        image: (1, 3, H, W) in [0, 1].
        light: (1, 1, H, W).

    Returns:
        (1, 3, H, W) in [0, 1].
    """
    change = light - luminance(image)
    lowest, highest = -image.amin(1, keepdim=True), 1 - image.amax(1, keepdim=True)
    return image + torch.minimum(torch.maximum(change, lowest), highest)


def match_palette(image: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return `image` with its colours moved so that their mean and covariance are those of `target`.

    The linear optimal transport between Gaussians, S^-1/2 (S^1/2 C S^1/2)^1/2 S^-1/2 with S the image's
    covariance and C the target's: of all maps that match both (Gatys et al. 2016, section 3) it changes the
    colours least. Where the image has no variance there is nothing to stretch: a plain sheet stays
    plain, a grey picture takes the palette's variance along grey only.

    Args:
        image: (1, C, H, W).
        target: (1, C, h, w).
        weights: (1, 1, H, W), which parts of the image count, and of the target if that is as large; all of
            both if left out.

    Returns:
        (1, C, H, W), not clipped to [0, 1].
    """
    mean, covariance = _palette(image, weights)
    same = weights is not None and target.shape[-2:] == weights.shape[-2:]
    target_mean, target_covariance = _palette(target, weights if same else None)
    root, inverse = _roots(covariance)
    middle, _ = _roots(root @ target_covariance @ root)
    change = inverse @ middle @ inverse
    flat = image.flatten(2).double() - mean[:, None]
    return (change @ flat + target_mean[:, None]).view_as(image).to(image.dtype)


def _palette(image: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor]:
    """Return mean (C,) and covariance (C, C) of the colours, float64."""
    flat = image[0].flatten(1).double()
    share = torch.ones_like(flat[:1]) if weights is None else weights.reshape(1, -1).double()
    share = share / share.sum().clamp_min(1e-12)
    mean = (flat * share).sum(1)
    centered = flat - mean[:, None]
    return mean, (centered * share) @ centered.T


def _roots(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return M^1/2 and the pseudo-inverse of it, of a symmetric matrix without negative eigenvalues."""
    values, basis = torch.linalg.eigh(matrix)
    # Less variance is rounding in 8-bit pictures.
    real = values > 1e-7
    root = values.clamp_min(0).sqrt()
    inverse = torch.where(real, 1 / root.clamp_min(1e-12), 0.0)
    return (basis * root) @ basis.T, (basis * inverse) @ basis.T
