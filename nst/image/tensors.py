"""Pictures as tensors: from pixels and back, and from size to size."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nst.image.decoding import MAX_SIDE, fit

__all__ = ["MAX_SIDE", "fit", "fit_area", "resize", "to_pixels", "to_tensor"]


def to_tensor(rgb: np.ndarray) -> Tensor:
    """Return (H, W, C) pixels, uint8 or floats in [0, 1], as (1, C, H, W) float32 in [0, 1]."""
    pixels = (
        torch.from_numpy(rgb).permute(2, 0, 1)[None].to(torch.float32, memory_format=torch.contiguous_format)
    )
    return pixels.div_(255) if rgb.dtype == np.uint8 else pixels


def fit_area(width: int, height: int, area: int) -> tuple[int, int]:
    """Return (width, height) scaled, aspect ratio kept, to about `area` pixels, no side under 32.

    Style pictures are matched by area: a panorama then has strokes as large as a square picture has.
    """
    scale = max(math.sqrt(area / (width * height)), 32 / min(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Resample to (width, height), bicubic, low-passed when shrinking.

    Args:
        image: (1, C, H, W).
        size: (width, height) in pixels.
    """
    width, height = size
    if image.shape[-2:] == (height, width):
        return image
    return F.interpolate(image, (height, width), mode="bicubic", align_corners=False, antialias=True)


def to_pixels(image: Tensor) -> np.ndarray:
    """Return (1, C, H, W) floats as (H, W, C) uint8, clipped to [0, 1]."""
    scaled = image.detach()[0].clamp(0, 1).mul(255).round()
    return scaled.permute(1, 2, 0).to("cpu", torch.uint8).contiguous().numpy()
