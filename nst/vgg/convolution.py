"""A convolution that pads by repeating the border, at the price of one that pads with zeros."""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nst.vgg import winograd

# A map of fewer values is padded faster than its border is corrected. Measured on a CPU, and only used there.
WORTHWHILE = 2_000_000


class Ring(NamedTuple):
    """A kernel's outermost rows and outermost columns."""

    rows: Tensor  # (2, 3 * C, K)
    columns: Tensor


class ReplicateConv2d(nn.Conv2d):
    """A 3 x 3 convolution whose input continues beyond its border with the border's own values.

    Padding first, as `padding_mode="replicate"` does, copies every feature map forward and backward, and
    gives the convolution sizes at which it is slower. With many channels, a CPU uses Winograd's minimal
    filtering instead, which copies tiles anyway. Another large map is padded with zeros, which costs nothing,
    and the border's contribution is added to the outermost rows and columns. In both cases only the input
    gets gradients; the weights are taken as fixed.
    """

    def __init__(self, before: int, after: int) -> None:
        super().__init__(before, after, 3, padding=1)

    @cached_property
    def ring(self) -> Ring:
        """The kernel's outermost rows and columns, of fixed weights."""
        kernel = self.weight.detach()
        return Ring(
            torch.stack([kernel[:, :, end, :].permute(2, 1, 0).flatten(0, 1) for end in (0, 2)]),
            torch.stack([kernel[..., end].permute(2, 1, 0).flatten(0, 1) for end in (0, 2)]),
        )

    @cached_property
    def transformed(self) -> Tensor:
        """The kernel as Winograd's filtering takes it, (36, C, K), of fixed weights."""
        return winograd.transformed(self.weight)

    def forward(self, features: Tensor) -> Tensor:
        """Return (N, K, H, W) for (N, C, H, W) features."""
        if features.is_cuda:
            return F.conv2d(repeat_border(features), self.weight, self.bias)
        if features.numel() < WORTHWHILE:
            padded = F.pad(features, (1, 1, 1, 1), mode="replicate")
            return F.conv2d(padded, self.weight, self.bias)
        return _Replicated.apply(features, self.weight, self.bias, *self.ring)

    def rectified(self, features: Tensor) -> Tensor:
        """Return the convolution's ReLU, (N, K, H, W), in the faster way."""
        return self.filtered(features) if self.filters(features) else F.relu_(self(features))

    def filters(self, features: Tensor) -> bool:
        """Return whether Winograd's filtering is the faster way."""
        return winograd.pays(features, self.out_channels)

    def filtered(self, features: Tensor) -> Tensor:
        """Return the convolution's ReLU, (1, K, H, W), by Winograd's filtering: float32, on a CPU."""
        return _Filtered.apply(features, self.transformed, self.bias, *self.ring)


def repeat_border(features: Tensor) -> Tensor:
    """Return a map, (N, C, H + 2, W + 2), that continues beyond its border with the border's own values.

    It must have one consumer, which must not change it. torch's own padding leaves channels-last memory on a
    GPU, which costs a copy before and after each convolution, and sums its gradient in an order that differs
    from run to run.

    Args:
        features: (N, C, H, W).
    """
    return _Bordered.apply(features)


class _Bordered(torch.autograd.Function):
    """The border repeated, in as few passes over the map as possible."""

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        batch, channels, height, width = features.shape
        padded = torch.empty(
            (batch, channels, height + 2, width + 2),
            dtype=features.dtype,
            device=features.device,
            memory_format=torch.channels_last,
        )
        padded[..., 1:-1, 1:-1] = features
        padded[..., 0, 1:-1], padded[..., -1, 1:-1] = features[..., 0, :], features[..., -1, :]
        padded[..., 0], padded[..., -1] = padded[..., 1], padded[..., -2]
        return padded

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        # In place: the map has one consumer, so nothing else uses this gradient.
        gradient[..., 1] += gradient[..., 0]
        gradient[..., -2] += gradient[..., -1]
        gradient[..., 1, :] += gradient[..., 0, :]
        gradient[..., -2, :] += gradient[..., -1, :]
        return gradient[..., 1:-1, 1:-1]


class _Filtered(torch.autograd.Function):
    """Convolution and ReLU by Winograd's minimal filtering."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, kernels: Tensor, bias: Tensor, rows: Tensor, columns: Tensor
    ) -> Tensor:
        result = winograd.convolve(features, kernels, bias)
        ctx.save_for_backward(result, kernels, rows, columns)
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        made, kernels, rows, columns = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        result = winograd.convolve_back(gradient, made, kernels)
        border = [line * (own > 0) for line, own in zip(_border(gradient), _border(made), strict=True)]
        _add_from_beyond(result, border[0], border[1], Ring(rows, columns))
        return result, None, None, None, None


class _Replicated(torch.autograd.Function):
    """By torch's own convolution, which pads with zeros."""

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, kernel: Tensor, bias: Tensor, rows: Tensor, columns: Tensor
    ) -> Tensor:
        ctx.shape = features.shape
        ctx.save_for_backward(kernel, rows, columns)
        result = F.conv2d(features, kernel, bias, padding=1)
        # Channels last: rows and columns of positions, each a vector.
        seen, made = features.permute(0, 2, 3, 1), result.permute(0, 2, 3, 1)
        # The row above the first, corners included, and the one below the last.
        edge = torch.stack([seen[:, 0], seen[:, -1]])
        added = _along(torch.cat([edge[:, :, :1], edge, edge[:, :, -1:]], 2), rows)
        made[:, 0] += added[0]
        made[:, -1] += added[1]
        # The columns beside them, without the corners.
        added = _along(F.pad(torch.stack([seen[:, :, 0], seen[:, :, -1]]), (0, 0, 1, 1)), columns)
        made[:, :, 0] += added[0]
        made[:, :, -1] += added[1]
        return result

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        kernel, rows, columns = ctx.saved_tensors
        # Only its shape and layout are used.
        blank = torch.empty(
            ctx.shape, dtype=gradient.dtype, device=gradient.device, memory_format=torch.channels_last
        )
        result, _, _ = torch.ops.aten.convolution_backward(
            gradient, blank, kernel, None, (1, 1), (1, 1), (1, 1), False, (0, 0), 1, (True, False, False)
        )
        _add_from_beyond(result, *_border(gradient), Ring(rows, columns))
        return result, None, None, None, None


def _border(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return a map's outermost rows, (2, N, W, K), and columns, (2, N, H, K)."""
    lines = values.permute(0, 2, 3, 1)
    return torch.stack([lines[:, 0], lines[:, -1]]), torch.stack([lines[:, :, 0], lines[:, :, -1]])


def _add_from_beyond(result: Tensor, above: Tensor, beside: Tensor, ring: Ring) -> None:
    """Add the gradient of the positions beyond the border to those that they repeat.

    Args:
        result: the gradient of the input, (N, C, H, W), as if zeros had continued it; changed in place.
        above: of the gradient of the convolution's result, (N, K, H, W), the outermost rows.
        beside: the outermost columns.
        ring: the kernel's.
    """
    made = result.permute(0, 2, 3, 1)
    edge = _back_along(above, ring.rows)
    made[:, 0] += edge[0, :, 1:-1]
    made[:, -1] += edge[1, :, 1:-1]
    for row, end in ((0, 0), (-1, 1)):
        made[:, row, 0] += edge[end, :, 0]
        made[:, row, -1] += edge[end, :, -1]
    edge = _back_along(beside, ring.columns)[:, :, 1:-1]
    made[:, :, 0] += edge[0]
    made[:, :, -1] += edge[1]


def _along(lines: Tensor, kernels: Tensor) -> Tensor:
    """Return two batches of lines convolved with a kernel of three for each.

    Args:
        lines: (2, N, L + 2, C), contiguous.
        kernels: (2, 3 * C, K).

    Returns:
        (2, N, L, K).
    """
    _, batch, length, channels = lines.shape
    outer, each, step, _ = lines.stride()
    windows = lines.as_strided((2, batch, length - 2, 3 * channels), (outer, each, step, 1))
    return torch.bmm(windows.flatten(1, 2), kernels).unflatten(1, (batch, length - 2))


def _back_along(slopes: Tensor, kernels: Tensor) -> Tensor:
    """Return the slopes of `_along`'s lines, (2, N, L + 2, C), given those of its result."""
    _, batch, length, _ = slopes.shape
    products = torch.bmm(slopes.flatten(1, 2), kernels.transpose(1, 2)).unflatten(1, (batch, length))
    channels = products.shape[-1] // 3
    lines = products.new_zeros(2, batch, length + 2, channels)
    for place in range(3):
        lines[:, :, place : place + length] += products[..., place * channels : (place + 1) * channels]
    return lines
