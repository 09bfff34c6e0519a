"""Pictures with transparent parts: laid on white, or with their colours continued there."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


def on_white(picture: Tensor) -> Tensor:
    """Return (1, 3, H, W) of (1, 4, H, W) laid on white; three channels are returned as they are."""
    color, alpha = picture[:, :3], picture[:, 3:]
    return torch.lerp(torch.ones_like(color), color, alpha) if alpha.shape[1] else picture


def pixels_on_white(pixels: np.ndarray) -> np.ndarray:
    """Return (H, W, 3) uint8 of (H, W, 4) laid on white; three channels are returned as they are."""
    if pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., 3:].astype(np.float32) / 255
    return (pixels[..., :3] * alpha + 255 * (1 - alpha)).round().astype(np.uint8)


def continued(picture: Tensor) -> Tensor:
    """Return (1, 3, H, W) of (1, 4, H, W): where it is transparent, the colours of what is opaque around.

    Pull-push over a pyramid (Gortler, Grzeszczuk, Szeliski and Cohen, "The Lumigraph", 1996, 3.4.2). White or
    black there would be an edge for every layer, and a fringe where the picture is resized.
    Without any opaque part it is white; three channels are returned as they are.
    """
    color, alpha = picture[:, :3], picture[:, 3:]
    if not alpha.shape[1]:
        return picture
    levels = [(color * alpha, alpha)]
    while max(levels[-1][1].shape[-2:]) > 1:
        levels.append((_halved(levels[-1][0]), _halved(levels[-1][1])))
    weighted, weight = levels.pop()
    around = torch.where(weight > 0, weighted / weight.clamp_min(1e-6), 1.0)
    for weighted, weight in reversed(levels):
        around = F.interpolate(around, weight.shape[-2:], mode="bilinear", align_corners=False)
        around = weighted + (1 - weight) * around
    return around


def _halved(picture: Tensor) -> Tensor:
    return F.avg_pool2d(picture, 2, ceil_mode=True, count_include_pad=False)
