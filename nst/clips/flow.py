"""Optical flow between two frames of a clip, and where it can be relied on."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from nst.errors import InputError

MISSING = 'Clips need OpenCV, which is not installed here; install it with: pip install ".[clips]"'
# Of pixels: what is less is taken for no motion, as the noise of a camera moves a still background about.
_STILL = 0.2
# How much of the longer side is edge.
_EDGE = 24
# How much the mean of so many pixels about may differ in what has not changed.
_SAME, _ABOUT = 2 / 255, 9


def estimate(one: np.ndarray, other: np.ndarray) -> Tensor:
    """Return where each pixel of `one` is in `other`: (1, 2, H, W), in pixels to the right and down.

    Dense inverse search (Kroeger, Timofte, Dai and Van Gool, "Fast Optical Flow using Dense Inverse Search",
    ECCV 2016), OpenCV's.

    Args:
        one: (H, W, 3) uint8.
        other: as large.

    Raises:
        InputError: OpenCV is not installed.
    """
    cv2 = opencv()
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_RGB2GRAY) for frame in (one, other)]
    return torch.from_numpy(search.calc(*grey, None)).permute(2, 0, 1)[None]


def opencv() -> Any:
    """Return the library.

    Raises:
        InputError: it is not installed.
    """
    try:
        import cv2
    except ImportError as error:
        raise InputError(MISSING) from error
    return cv2


def settled(flow: Tensor) -> Tensor:
    """Return a flow without what is hardly a motion, so that a still background is not resampled for ever."""
    return flow * (flow.norm(dim=1, keepdim=True) > _STILL)


def moved(picture: Tensor, flow: Tensor) -> Tensor:
    """Return a picture read at each pixel's place plus `flow`, by cubic interpolation.

    Args:
        picture: (1, C, H, W).
        flow: (1, 2, H, W), in pixels.
    """
    height, width = picture.shape[-2:]
    rows, columns = torch.meshgrid(
        torch.arange(height, device=flow.device), torch.arange(width, device=flow.device), indexing="ij"
    )
    place = torch.stack([columns + flow[0, 0], rows + flow[0, 1]], -1)[None]
    place = 2 * (place + 0.5) / torch.tensor([width, height], device=flow.device) - 1
    return F.grid_sample(picture, place, mode="bicubic", padding_mode="border", align_corners=False)


def reliable(back: Tensor, forth: Tensor) -> Tensor:
    """Return where a flow can be relied on, (1, 1, H, W), 1 or 0.

    Ruder, Dosovitskiy and Brox, "Artistic Style Transfer for Videos" (GCPR 2016), after Sundaram, Brox and
    Keutzer (ECCV 2010). Where back and forth does not end where it began, something is hidden (equation 5);
    at the edges of what moves the flow is not precise (equation 6); what comes in was never seen.

    Args:
        back: from this frame to the one before, (1, 2, H, W).
        forth: from the one before to this one.
    """
    height, width = back.shape[-2:]
    forth = moved(forth, back)
    lengths = back.square().sum(1) + forth.square().sum(1)
    hidden = (back + forth).square().sum(1) > 0.01 * lengths + 0.5
    right = F.pad(back[..., 1:] - back[..., :-1], (0, 1))
    down = F.pad(back[..., 1:, :] - back[..., :-1, :], (0, 0, 0, 1))
    edges = (right.square() + down.square()).sum(1) > 0.01 * back.square().sum(1) + 0.002
    rows, columns = torch.meshgrid(
        torch.arange(height, device=back.device), torch.arange(width, device=back.device), indexing="ij"
    )
    # Networks see less of what is at the edge, so its colours are not those to keep further in.
    edge = max(width, height) // _EDGE
    outside = torch.zeros_like(hidden)
    for begin, flow, length in ((columns, back[:, 0], width), (rows, back[:, 1], height)):
        place = begin + flow
        outside |= ((place < edge) & (flow < 0)) | ((place > length - 1 - edge) & (flow > 0))
    return (~(hidden | edges | outside)).float()[None]


def unchanged(frame: Tensor, before: Tensor, flow: Tensor) -> Tensor:
    """Return where a frame is as it was before, softly: (1, 1, H, W), from 0 to 1.

    Args:
        frame: (1, 3, H, W).
        before: as large.
        flow: from one to the other, `settled`.
    """
    changed = _mean_about(frame - before).abs().amax(1, keepdim=True) > _SAME
    changed |= flow.abs().amax(1, keepdim=True) > 0
    near = F.max_pool2d(changed.float(), 2 * _ABOUT + 1, 1, _ABOUT)
    return 1 - _mean_about(near)


def _mean_about(image: Tensor) -> Tensor:
    side = _ABOUT // 2
    return F.avg_pool2d(F.pad(image, (side, side, side, side), mode="replicate"), _ABOUT, 1)
