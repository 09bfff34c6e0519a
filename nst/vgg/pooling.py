"""The two ways to halve a feature map."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# More than a CPU has cores for is no faster.
_BANDS = 8


class _Maximum(torch.autograd.Function):
    """2 x 2 maximum pooling that keeps only the places of the maxima for the gradient.

    torch's own keeps its input too, though it needs only its size.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        made, places = F.max_pool2d(features, 2, return_indices=True)
        ctx.save_for_backward(places)
        ctx.size = features.shape
        return made

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (places,) = ctx.saved_tensors
        return F.max_unpool2d(gradient, places, (2, 2), output_size=ctx.size)


class MaxPool(nn.MaxPool2d):
    """2 x 2 maximum pooling that uses all cores.

    On a CPU torch splits the gradient by the pictures of a batch, and here there is one. Cut into bands of
    rows, which in channels-last memory is only a view, it becomes a batch.
    """

    def __init__(self) -> None:
        super().__init__(2)

    def forward(self, features: Tensor) -> Tensor:
        """Return (N, C, H, W) features at half the height and width."""
        batch, _, height, _ = features.shape
        bands = next((count for count in (_BANDS, 4, 2) if height % (2 * count) == 0), 1)
        as_rows = features.is_contiguous(memory_format=torch.channels_last)
        if features.is_cuda or batch > 1 or bands == 1 or not as_rows:
            return super().forward(features)
        rows = features.permute(0, 2, 3, 1)
        cut = rows.unflatten(1, (bands, height // bands)).flatten(0, 1).permute(0, 3, 1, 2)
        made = _Maximum.apply(cut).permute(0, 2, 3, 1)
        return made.unflatten(0, (batch, bands)).flatten(1, 2).permute(0, 3, 1, 2)


class AveragePool(nn.Module):
    """2 x 2 average pooling, doubled so that deeper layers see activations about as large as after maximum.

    Gatys et al. (2016, section 2) recommend averaging; without the factor their biases would outweigh it.
    """

    def forward(self, features: Tensor) -> Tensor:
        """Return (N, C, H, W) features at half the height and width."""
        return 2 * F.avg_pool2d(features, 2)
