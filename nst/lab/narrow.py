"""The narrow network while it is made."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nst.vgg.encoder import Encoder
from nst.vgg.layers import CONVOLUTIONS, LAYERS

TAPS = ("relu1_1", "relu2_1", "relu3_1", "relu3_3", "relu4_1", "relu4_2", "relu5_1")
NAMES = list(LAYERS)[: list(LAYERS).index(TAPS[-1]) + 1]
BLOCKS = [int(name[4]) - 1 for name in NAMES]
DEPTH, BLOCK_COUNT = len(NAMES), BLOCKS[-1] + 1


class NarrowNetwork(nn.Module):
    """The narrow twin of VGG-19 up to relu5_1, with linear maps from its layers to the teacher's channels."""

    mean: Tensor
    std: Tensor

    def __init__(self, widths: Sequence[int], teacher_widths: dict[str, int]) -> None:
        super().__init__()
        channels = [3, *(widths if len(widths) == DEPTH else (widths[block] for block in BLOCKS))]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(before, after, 3, padding=1, padding_mode="replicate")
            for before, after in pairwise(channels)
        )
        self.maps = nn.ParameterDict(
            {name: torch.zeros(teacher_widths[name], channels[NAMES.index(name) + 1]) for name in TAPS}
        )
        self.register_buffer("mean", torch.zeros(1, 3, 1, 1))
        self.register_buffer("std", torch.ones(1, 3, 1, 1))

    @property
    def layers(self) -> list[nn.Conv2d]:
        """The convolutions, from the image on."""
        return [module for module in self.convolutions if isinstance(module, nn.Conv2d)]

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Return the features in the teacher's channels."""
        value, features = (image - self.mean) / self.std, {}
        value = value.contiguous(memory_format=torch.channels_last)
        for index, convolution in enumerate(self.convolutions):
            if new_block(index):
                value = F.max_pool2d(value, 2)
            value = F.relu(convolution(value))
            if (name := NAMES[index]) in self.maps:
                features[name] = F.conv2d(value, self.maps[name][..., None, None])
        return features

    @torch.no_grad()
    def take(self, state: dict[str, Tensor]) -> int:
        """Take over an exported network's convolutions up to the first of another shape; return how many."""
        count = 0
        for n, convolution in zip(CONVOLUTIONS, self.layers, strict=False):
            weight = state.get(f"features.{n}.weight")
            if weight is None or weight.shape != convolution.weight.shape:
                break
            convolution.weight.copy_(weight)
            _bias(convolution).copy_(state[f"features.{n}.bias"])
            count += 1
        return count

    def export(self) -> dict[str, Tensor]:
        """Return convolutions and folded projections under the names that `Encoder` reads.

        With A = self.maps[name] and A^T A = U diag(e) U^T, the projection is diag(sqrt e) U^T: as few
        channels as the narrow network has, and the same distances between features and between Gram matrices
        as under A.
        """
        state = {}
        for n, convolution in zip(CONVOLUTIONS, self.layers, strict=False):
            state[f"features.{n}.weight"] = convolution.weight.detach().clone()
            state[f"features.{n}.bias"] = _bias(convolution).detach().clone()
        for name, matrix in self.maps.items():
            energy, basis = torch.linalg.eigh((matrix.detach().double().T @ matrix.detach().double()).cpu())
            state[f"taps.{name}"] = (energy.clamp_min(0).sqrt()[:, None] * basis.T).float().to(matrix.device)
        return state

    def encoder(self) -> Encoder:
        """Return the network as an encoder to paint with."""
        return Encoder(self.export(), name="narrow", device=self.mean.device)


def _bias(convolution: nn.Conv2d) -> Tensor:
    assert convolution.bias is not None  # noqa: S101 (for mypy)
    return convolution.bias


def new_block(index: int) -> bool:
    """Return whether pooling stands before a convolution."""
    return index > 0 and BLOCKS[index] != BLOCKS[index - 1]
