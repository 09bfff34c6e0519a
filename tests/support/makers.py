"""Pictures, networks and paintings that many tests begin with."""

import functools
from typing import Any

import torch
from torch import Tensor

from nst import stylize
from nst.optimization.frames import Frame
from nst.vgg.weights import KEYS


def noise(height: int, width: int, seed: int = 0) -> Tensor:
    """Return a picture of random pixels, (1, 3, height, width)."""
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def finished(*pictures: Any, **how: Any) -> Frame:
    """Paint; return the last frame. The arguments are those of `stylize`."""
    *_, frame = stylize(*pictures, **how)
    assert frame.final
    return frame


@functools.cache
def random_vgg() -> dict[str, Tensor]:
    """Return random values in VGG-19's shapes up to relu5_1, of a size that keeps activations alike."""
    generator = torch.Generator().manual_seed(4)
    state = {}
    for key, shape in KEYS.items():
        spread = (2 / (shape[1] * 9)) ** 0.5 if key.endswith("weight") else 0.05
        state[key] = torch.randn(shape, generator=generator) * spread
    return state
