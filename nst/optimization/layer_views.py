"""Gram matrices and feature maps of a painting, layer by layer, to be shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from nst.image.tensors import fit, fit_area, resize
from nst.optimization.loss_terms import relative_error
from nst.settings import Settings
from nst.vgg.encoder import Encoder
from nst.vgg.layers import style_weights
from nst.vgg.moments import Moments

# Pixels: large enough for the deepest layers, small enough to be quick.
_LONGEST = 384
# Channels shown of a Gram matrix and of a feature map: the strongest ones.
_CHANNELS, _MAPS = 48, 12


@dataclass(frozen=True)
class LayerView:
    """One style layer: how a painting compares with the style there."""

    name: str
    weight: float  # how much the layer counts
    residual: float  # |G - A|^2 / |A|^2 of the Gram matrices; 0 is a perfect match
    style: np.ndarray  # (K, K) correlations of the K channels that are strongest in the style, -1 to 1
    painting: np.ndarray  # (K, K), the same channels of the painting


def compare(painting: Tensor, style: Tensor, settings: Settings, encoder: Encoder) -> list[LayerView]:
    """Return both pictures' Gram matrices in each style layer, made comparable.

    A Gram matrix holds how strong channels are and how they correlate. Divided by the square roots of its
    diagonal it holds only the correlations, which can be shown.

    Args:
        painting: (1, 3, H, W) in [0, 1].
        style: (1, 3, h, w).
        settings: which layers count, and the style's scale.
        encoder: whose layers.

    Raises:
        InputError: a layer that the encoder does not carry.
    """
    weights = style_weights(settings.style_layers, encoder.layers)
    painting = _shrunk(painting)
    area = round(painting.shape[-1] * painting.shape[-2] * settings.style_scale**2)
    style = resize(style, fit_area(style.shape[-1], style.shape[-2], area)).clamp(0, 1)
    with torch.no_grad():
        painted, wanted = (
            encoder.describe(picture.to(encoder.device), (), weights).statistics
            for picture in (painting, style)
        )
    views = []
    for name, weight in weights.items():
        (have,), (want,) = painted[name], wanted[name]
        strongest = want.gram.diagonal().argsort(descending=True)[:_CHANNELS]
        views.append(
            LayerView(
                name,
                weight,
                float(relative_error(have.gram, want.gram)),
                _correlations(want, strongest),
                _correlations(have, strongest),
            )
        )
    return views


def feature_maps(picture: Tensor, layer: str, encoder: Encoder) -> list[np.ndarray]:
    """Return the strongest channels of a layer, (h, w) each, from 0 to 1.

    Args:
        picture: (1, 3, H, W) in [0, 1].
        layer: such as "relu2_1".
        encoder: whose layer.

    Raises:
        InputError: a layer that the encoder does not carry.
    """
    with torch.no_grad():
        features = encoder(_shrunk(picture).to(encoder.device), [layer])[layer][0].float().abs()
    strongest = features.square().mean((1, 2)).argsort(descending=True)[:_MAPS]
    top = features[strongest].flatten(1).quantile(0.99, dim=1).clamp_min(1e-6)[:, None, None]
    return list((features[strongest] / top).clamp(0, 1).cpu().numpy())


def _shrunk(picture: Tensor) -> Tensor:
    height, width = picture.shape[-2:]
    return resize(picture, fit(width, height, min(_LONGEST, max(width, height)))).clamp(0, 1)


def _correlations(statistics: Moments, channels: Tensor) -> np.ndarray:
    gram = statistics.gram[channels][:, channels]
    level = gram.diagonal().clamp_min(1e-12).sqrt()
    return (gram / level[:, None] / level[None]).cpu().numpy()
