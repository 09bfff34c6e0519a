"""Pictures from arrays and tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nst.errors import InputError

_CHANNELS = (1, 3, 4)


def from_array(given: Any, label: str, least: int) -> Tensor:
    """Return an array or tensor as (1, 3, H, W) or (1, 4, H, W) float32 in [0, 1].

    Args:
        given: (H, W), (H, W, C), (C, H, W) or (1, C, H, W) of 1, 3 or 4 channels: bools, floats in [0, 1],
            or numbers from 0 to 255, of uint16 to 65535.
        label: how to call it in messages.
        least: pixels that it has to have on each side.

    Raises:
        InputError: it is of another shape or range, saying which.
    """
    if isinstance(given, Tensor):
        tensor = given.detach()
    else:
        array = np.asarray(given)
        if array.dtype.kind not in "buif":
            raise InputError(f"{label} is an array of {array.dtype}; give numbers.")
        # torch knows few of numpy's types.
        tensor = torch.from_numpy(np.array(array, np.float32 if array.dtype.kind == "f" else np.int64))
        if array.dtype == np.uint16:
            tensor = tensor / 65535
        elif array.dtype == bool:
            tensor = tensor.float()
    if tensor.is_complex():
        raise InputError(f"{label} is a tensor of complex numbers; give real ones.")
    shape = tuple(tensor.shape)
    integral = not tensor.is_floating_point() and tensor.dtype != torch.bool
    # A tensor made in inference mode cannot be used outside.
    tensor = tensor.to(torch.float32, copy=tensor.is_inference())
    if tensor.ndim == 2:
        tensor = tensor[None]
    if tensor.ndim == 3:
        if tensor.shape[0] not in _CHANNELS and tensor.shape[-1] in _CHANNELS:
            tensor = tensor.permute(2, 0, 1)
        tensor = tensor[None]
    if tensor.ndim != 4 or tensor.shape[0] != 1 or tensor.shape[1] not in _CHANNELS:
        raise InputError(
            f"{label} has the shape {shape}; give (1, 3, H, W), (3, H, W), (H, W, 3) or (H, W), one picture."
        )
    if min(tensor.shape[-2:]) < max(1, least):
        raise InputError(f"{label} has the shape {shape}; at least {least} pixels on each side are needed.")
    low, high = (float(end) for end in torch.aminmax(tensor))  # NaN if anything is
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputError(f"{label} holds values that are not finite; give numbers from 0 to 1.")
    bytes_meant = integral or high > 2  # too far beyond white to be from 0 to 1
    if low < (0 if bytes_meant else -1) or high > 255:
        raise InputError(f"{label} holds values from {low:g} to {high:g}; give 0 to 1, or 0 to 255.")
    if bytes_meant:
        tensor = tensor / 255
    elif low < 0 or high > 1:
        tensor = tensor.clamp(0, 1)
    return tensor.expand(1, 3, -1, -1).contiguous() if tensor.shape[1] == 1 else tensor.contiguous()
