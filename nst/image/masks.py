"""Where to paint: which parts of the canvas stay the photo, and which style each other part takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nst.errors import InputError
from nst.image.colors import luminance
from nst.image.tensors import fit, resize

# Masks are kept no larger than this; enlarged they only become smoother.
_LONGEST = 1024
# A mask may differ this much from the photo's proportions: rounding, not another picture.
_TOLERANCE = 0.03
# A part smaller than this share of the canvas has no statistics worth matching.
_SMALLEST = 5e-4


@dataclass(frozen=True)
class Region:
    """A part of the canvas and how much of each style it takes."""

    shares: tuple[float, ...]  # one for each style, of sum 1
    mask: Tensor | None = None  # (1, 1, H, W) in [0, 1]; None is everywhere

    def at(self, size: tuple[int, int]) -> Region:
        """Return the region with its mask at (width, height)."""
        return self if self.mask is None else Region(self.shares, at(self.mask, size))


def at(mask: Tensor, size: tuple[int, int]) -> Tensor:
    """Return a mask at (width, height), in [0, 1]."""
    return resize(mask, size).clamp(0, 1)


def prepare(picture: Tensor, photo: Tensor, edge: float, label: str, of: str = "photo") -> Tensor:
    """Return a picture as a mask for `photo`, its edges softened.

    Args:
        picture: (1, 3, H, W) in [0, 1]; white counts, black does not.
        photo: (1, 3, h, w).
        edge: per cent of the longest side over which black passes into white.
        label: how to call the mask in messages.
        of: how to call what it is a mask of.

    Returns:
        (1, 1, H', W') of the photo's proportions, at most 1024 on the longest side.

    Raises:
        InputError: its proportions are not the photo's.
    """
    height, width = photo.shape[-2:]
    stretch = picture.shape[-1] / picture.shape[-2] * height / width
    if not 1 - _TOLERANCE < stretch < 1 + _TOLERANCE:
        raise InputError(
            f"{label} is {picture.shape[-1]} x {picture.shape[-2]} and the {of} {width} x {height} pixels;"
            f" a mask has the {of}'s proportions."
        )
    size = fit(width, height, min(_LONGEST, max(picture.shape[-2:])))
    return soften(at(luminance(picture), size), edge)


def taken_from(picture: Tensor, style: Tensor, label: str) -> Tensor:
    """Return a picture as a mask that says where in a style picture its style is taken from.

    Args:
        picture: (1, 3, H, W) in [0, 1]; white counts, black does not.
        style: (1, 3, h, w).
        label: how to call the mask in messages.

    Returns:
        (1, 1, h, w).

    Raises:
        InputError: its proportions are not the style picture's, or it leaves nothing of it.
    """
    mask = at(prepare(picture, style, 0.0, label, "style picture"), (style.shape[-1], style.shape[-2]))
    if float(mask.mean()) < _SMALLEST:
        raise InputError(f"{label} is black; make it white where the style is to be taken from.")
    return mask


def soften(mask: Tensor, edge: float) -> Tensor:
    """Return a mask blurred: a hard edge becomes a passage as wide as `edge` per cent of the longest side."""
    sigma = edge / 100 * max(mask.shape[-2:]) / 4
    if sigma < 0.3:
        return mask
    reach = math.ceil(2 * sigma)  # as far as the edge is to reach, no further: beyond it nothing changes
    places = torch.arange(-reach, reach + 1, device=mask.device, dtype=mask.dtype)
    kernel = torch.exp(-0.5 * (places / sigma) ** 2)
    kernel = kernel / kernel.sum()
    padded = F.pad(mask, (reach, reach, reach, reach), mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1)).clamp(0, 1)


def divide(
    blend: Sequence[float], masks: Sequence[Tensor | None], keep: Tensor | None
) -> tuple[list[Region], Tensor | None]:
    """Return the regions of the canvas, and what of it is painted at all.

    A style with a mask paints there and nowhere else; where masks overlap they share. The styles without one
    are blended over what is left. If every style has a mask, what none of them covers stays the photo.

    Args:
        blend: how much of each style is wanted; 0 leaves a style out.
        masks: for each style where it is to paint, or None.
        keep: what stays the photo, or None. All masks are (1, 1, H, W), of any size.

    Returns:
        The regions, and (1, 1, H, W), 1 where the canvas is painted, or None for everywhere.

    Raises:
        InputError: nothing is left to paint, or no style to paint it with.
    """
    count = len(blend)
    if not any(share > 0 for share in blend):
        raise InputError("Every style has the share 0; give at least one of them more.")
    given = {k: mask for k, mask in enumerate(masks) if mask is not None and blend[k] > 0}
    free = [k for k in range(count) if masks[k] is None and blend[k] > 0]
    if not given and keep is None:
        return [Region(_shares(blend, free))], None

    first = keep if keep is not None else next(iter(given.values()))
    size = (first.shape[-1], first.shape[-2])
    allowed = torch.ones_like(first) if keep is None else 1 - keep
    parts = [at(mask, size) for mask in given.values()]
    covered = sum(parts, torch.zeros_like(first))
    parts = [part / covered.clamp_min(1) for part in parts]
    if free:
        rest = (1 - covered).clamp_min(0)
        regions = [Region(_shares(blend, free), rest * allowed)]
    else:
        allowed, regions = allowed * covered.clamp(max=1), []
        parts = [part / covered.clamp(1e-6, 1) for part in parts]
    regions += [
        Region(_shares([1.0] * count, [k]), part * allowed) for k, part in zip(given, parts, strict=True)
    ]
    regions = [
        region for region in regions if region.mask is not None and float(region.mask.mean()) > _SMALLEST
    ]
    if not regions:
        raise InputError("The masks leave nothing to paint; leave more of the photo free.")
    return regions, allowed


def within(regions: Sequence[Region], alpha: Tensor) -> list[Region]:
    """Return regions without what is transparent, which then does not count in their statistics.

    Args:
        regions: of the canvas.
        alpha: (1, 1, H, W).

    Raises:
        InputError: nothing is left.
    """
    longest = min(_LONGEST, max(alpha.shape[-2:]))
    seen = at(alpha, fit(alpha.shape[-1], alpha.shape[-2], longest))
    size = (seen.shape[-1], seen.shape[-2])
    masks = [seen if region.mask is None else seen * at(region.mask, size) for region in regions]
    left = [
        Region(region.shares, mask)
        for region, mask in zip(regions, masks, strict=True)
        if float(mask.mean()) > _SMALLEST
    ]
    if not left:
        raise InputError(
            "Nothing of the photo is left to paint where it is opaque; switch off Keep transparency."
        )
    return left


def _shares(blend: Sequence[float], members: Sequence[int]) -> tuple[float, ...]:
    whole = sum(blend[k] for k in members)
    return tuple(blend[k] / whole if k in members else 0.0 for k in range(len(blend)))
