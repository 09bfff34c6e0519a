"""The convolutions of VGG-19 as they lie in the package: whole numbers, a step for each layer, deflated.

A weight is its number times the layer's step. A uniform quantiser followed by an entropy coder needs fewer
bits for the same squared error than a codebook of fixed length (Gish and Pierce, "Asymptotically efficient
quantizing", 1968); deflate without its dictionary is Huffman's code, which is close to the entropy.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

STEP, BIAS, CODES, SHAPE = "step", "bias", "codes", "shape"
MOST = 127  # the largest number, either way


def deflate(codes: Tensor) -> Tensor:
    """Return int8 numbers as the bytes of a deflate stream, uint8."""
    coder = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_HUFFMAN_ONLY)
    stream = coder.compress(codes.contiguous().numpy().tobytes()) + coder.flush()
    return torch.frombuffer(bytearray(stream), dtype=torch.uint8)


def inflate(stream: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Return what `deflate` was given, in this shape.

    Raises:
        ValueError: it is something else.
    """
    try:
        numbers = np.frombuffer(zlib.decompress(stream.numpy().tobytes(), -15), np.int8)
    except zlib.error as error:
        raise ValueError("this is no deflate stream") from error
    return torch.from_numpy(numbers.reshape(shape).copy())


def unpack(file: Path) -> dict[str, Tensor]:
    """Return the convolutions in a packed file, float32, under torchvision's names.

    Args:
        file: safetensors with `features.N.codes`, `.shape`, `.step` and `.bias` for each convolution.

    Raises:
        ValueError: its numbers are damaged.
    """
    stored, convolutions = load_file(file), {}
    names = {key.rpartition(".")[0] for key in stored}
    for name in sorted(names, key=lambda name: int(name.rpartition(".")[2])):
        shape = tuple(stored[f"{name}.{SHAPE}"].tolist())
        numbers = inflate(stored[f"{name}.{CODES}"], shape)
        convolutions[f"{name}.weight"] = numbers.float() * stored[f"{name}.{STEP}"]
        convolutions[f"{name}.bias"] = stored[f"{name}.{BIAS}"].float()
    return convolutions
