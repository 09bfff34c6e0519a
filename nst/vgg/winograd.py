"""3 x 3 convolutions with a quarter of the multiplications: Winograd's minimal filtering F(4 x 4, 3 x 3).

Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (CVPR 2016), section 4: of a kernel g and
a tile d of 6 x 6 positions the 4 x 4 results are A^T [(G g G^T) * (B^T d B)] A, with * element by element.
Over all channels and tiles that product is 36 matrix products.

The points are 0, 1, -1, 2, 1/2 and infinity. Rotating a kernel by 180 degrees replaces them by their
reciprocals, which are the same points in another order; so the gradient, a convolution with the rotated
kernel, uses the same transformed kernels.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

_POINTS = 6
_TILE = 4
_B = (
    torch.tensor(  # B^T
        [
            [-2, 5, 0, -5, 2, 0],
            [0, 2, -3, -3, 2, 0],
            [0, -2, 7, -7, 2, 0],
            [0, 1, -2, -1, 2, 0],
            [0, 4, -2, -4, 2, 0],
            [0, -2, 5, 0, -5, 2],
        ],
        dtype=torch.float64,
    )
    / 2
)
_G = (
    torch.tensor(
        [[-9, 0, 0], [-9, -9, -9], [1, -1, 1], [1, 2, 4], [16, 8, 4], [0, 0, 9]], dtype=torch.float64
    )
    / 9
)
_A = torch.tensor(  # A^T
    [
        [1, 1, 1, 1, 1, 0],
        [0, 1, -1, 2, 1 / 2, 0],
        [0, 1, 1, 4, 1 / 4, 0],
        [0, 1, -1, 8, 1 / 8, 1],
    ],
    dtype=torch.float64,
)
# The index of each point's reciprocal, and the factor from a kernel's transform to the rotated one's.
_RECIPROCAL = [5, 1, 2, 4, 3, 0]
_TURNED = _G.flip(1)[_RECIPROCAL].sum(1) / _G.sum(1)
# The transform at (1, 1) is added to each of a tile's results.
_ONES = _POINTS + 1
# Filtering is worthwhile from these on: channels in and out, their product, positions, product of all three.
_CHANNELS, _KERNELS, _POSITIONS, _PRODUCTS = 64, 64 * 96, 768, 15_000_000
# Values of one transformed block: some 20 MB, of which there are three at a time.
BLOCK = _POINTS**2 * 2**17


class Transforms(NamedTuple):
    """The matrices that a tile is multiplied by before and after the products, for both axes at once."""

    before: Tensor  # (36, 36)
    after: Tensor  # (16, 36)


_FORWARD = Transforms(torch.kron(_B, _B).float(), torch.kron(_A, _A).float())
_B_BACK, _A_BACK = _TURNED[:, None] * _B[_RECIPROCAL], _A[:, _RECIPROCAL]
_BACKWARD = Transforms(torch.kron(_B_BACK, _B_BACK).float(), torch.kron(_A_BACK, _A_BACK).float())


def pays(features: Tensor, results: int) -> bool:
    """Return whether filtering features, (N, C, H, W), to so many channels is faster than multiplying."""
    one, channels, height, width = features.shape
    return (
        features.device.type == "cpu"
        and features.dtype == torch.float32
        and one == 1
        and worthwhile(channels, results, height * width)
        and features.is_contiguous(memory_format=torch.channels_last)
    )


def worthwhile(channels: int, results: int, positions: int) -> bool:
    """Return whether it pays, in float32 on a CPU, for a map of so many positions and channels in and out.

    With few channels the transforms cost more than the products save; with a small map, reading the
    transformed kernels does. `python -m nst.lab.bench convolution` measures both ways on this machine.
    """
    return (
        min(channels, results) >= _CHANNELS
        and channels * results >= _KERNELS
        and positions >= _POSITIONS
        and positions * channels * results >= _PRODUCTS
    )


def held(channels: int, results: int, positions: int) -> tuple[int, int]:
    """Return the bytes that filtering such a map takes: for the kernels, permanently, and for one block."""
    tiles = -(-positions // _TILE**2)
    block = min(BLOCK, _POINTS**2 * tiles * max(channels, results))
    return 4 * _POINTS**2 * channels * results, 4 * 4 * block


def transformed(kernel: Tensor) -> Tensor:
    """Return G g G^T of a kernel, (K, C, 3, 3), as (36, C, K), float32."""
    results, channels, _, _ = kernel.shape
    rows = kernel.detach().double().permute(2, 3, 1, 0).reshape(9, -1)  # (9, C * K)
    return (torch.kron(_G, _G) @ rows).float().view(_POINTS**2, channels, results)


def convolve(features: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    """Return the ReLU of a convolution whose input goes on beyond its border with the border's own values.

    Args:
        features: (1, C, H, W), float32, channels last in memory.
        kernels: (36, C, K) from `transformed`.
        bias: (K,).

    Returns:
        (1, K, H, W), channels last in memory.
    """
    return _convolve(features, kernels, bias, None, _FORWARD)


def convolve_back(gradient: Tensor, made: Tensor, kernels: Tensor) -> Tensor:
    """Return the gradient of a convolution's input, as if zeros were beyond its border.

    Args:
        gradient: (1, K, H, W) of what `convolve` made, float32, channels last in memory.
        made: the output of `convolve`; where it is 0, so is the gradient.
        kernels: (36, C, K) from `transformed`.

    Returns:
        (1, C, H, W), channels last in memory.
    """
    return _convolve(gradient, kernels.transpose(1, 2), None, made, _BACKWARD)


def _convolve(
    features: Tensor, kernels: Tensor, bias: Tensor | None, mask: Tensor | None, transforms: Transforms
) -> Tensor:
    """Return the ReLU of a convolution with repeated border, or, with a mask, its gradient."""
    rows = features[0].permute(1, 2, 0)  # (H, W, C)
    height, width, _ = rows.shape
    high, across, results = -(-height // _TILE), -(-width // _TILE), kernels.shape[-1]
    made = torch.empty(1, results, height, width, memory_format=torch.channels_last)
    ready = made[0].permute(1, 2, 0)
    through = None if mask is None else mask[0].permute(1, 2, 0)

    rows_at_once = max(1, BLOCK // (_POINTS**2 * across * max(kernels.shape[1:])))
    for top in range(0, high, rows_at_once):
        bottom = min(top + rows_at_once, high)
        window = _window(rows, through, top, bottom)
        # (tiles down, tiles across, 6, 6, C), one copy of it
        pieces = window.unfold(0, _POINTS, _TILE).unfold(1, _POINTS, _TILE).permute(0, 1, 3, 4, 2)
        seen = torch.matmul(transforms.before, pieces.reshape((bottom - top) * across, _POINTS**2, -1))
        products = torch.bmm(seen.transpose(0, 1), kernels)  # (36, T, K)
        if bias is not None:
            products[_ONES] += bias
        values = torch.matmul(transforms.after, products.transpose(0, 1))  # (T, 16, K)
        if bias is not None:
            values.clamp_min_(0)
        tiles = values.view(bottom - top, across, _TILE, _TILE, results).transpose(1, 2)
        own = ready[_TILE * top : _TILE * bottom]
        if own.shape[0] == _TILE * (bottom - top) and width == _TILE * across:
            own.unflatten(1, (-1, _TILE)).unflatten(0, (-1, _TILE)).copy_(tiles)
        else:  # the last tiles reach beyond the border
            own.copy_(tiles.flatten(2, 3).flatten(0, 1)[: own.shape[0], :width])
    return made


def _window(rows: Tensor, mask: Tensor | None, first: int, last: int) -> Tensor:
    """Return the input of some rows of tiles, (h, w, C).

    Beyond the border it is repeated; with a mask zeros follow, as where the mask is 0.
    """
    _, width, channels = rows.shape
    top, bottom = _TILE * first - 1, _TILE * last + 1
    inside = rows[max(top, 0) : bottom]
    window = rows.new_empty(bottom - top, -(-width // _TILE) * _TILE + 2, channels)
    above, below = max(-top, 0), max(-top, 0) + inside.shape[0]
    own = window[above:below, 1 : 1 + width]
    if mask is None:
        own.copy_(inside)
    else:
        torch.ops.aten.threshold_backward.grad_input(inside, mask[max(top, 0) : bottom], 0, grad_input=own)
    window[above:below, 0] = own[:, 0] if mask is None else 0
    window[above:below, 1 + width :] = own[:, -1:] if mask is None else 0
    window[:above] = window[above] if mask is None else 0
    window[below:] = window[below - 1] if mask is None else 0
    return window
