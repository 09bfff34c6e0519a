"""An encoder's weights as stored in the package: integers and their step, deflated.

A weight is its number times the step of its layer or of its row. A uniform quantiser followed by an entropy
coder needs fewer bits for the same squared error than a codebook of fixed length (Gish and Pierce,
"Asymptotically efficient quantizing", 1968); deflate without its dictionary is Huffman's code, which is close
to the entropy.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
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
        ValueError: it is no such stream.
    """
    try:
        numbers = np.frombuffer(zlib.decompress(stream.numpy().tobytes(), -15), np.int8)
    except zlib.error as error:
        raise ValueError("this is no deflate stream") from error
    return torch.from_numpy(numbers.reshape(shape).copy())


def pack(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return an encoder's tensors with numbers of one byte, each row with a step of its own.

    Args:
        state: `features.N.weight`, `features.N.bias` and `taps.reluB_N`, float.

    Returns:
        what `unpack` reads from a file.
    """
    stored = {}
    for key, value in state.items():
        value = value.detach().float().cpu()
        if key.endswith(f".{BIAS}"):
            stored[key] = value.contiguous()
            continue
        name = key.removesuffix(".weight")
        step = value.abs().amax(tuple(range(1, value.ndim)), keepdim=True).clamp_min(1e-12) / MOST
        stored |= {
            f"{name}.{CODES}": deflate((value / step).round().to(torch.int8)),
            f"{name}.{SHAPE}": torch.tensor(value.shape),
            f"{name}.{STEP}": step.contiguous(),
        }
    return stored


def unpack(file: Path) -> dict[str, Tensor]:
    """Return the tensors in a packed file, float32, under torchvision's names; matrices under their own.

    Args:
        file: safetensors with `features.N.codes`, `.shape`, `.step` and `.bias` for each convolution,
            `taps.reluB_N.codes`, `.shape` and `.step` for each matrix.

    Raises:
        ValueError: its numbers are damaged.
    """
    stored, tensors = load_file(file), {}
    for name in [key.removesuffix(f".{CODES}") for key in stored if key.endswith(f".{CODES}")]:
        shape = tuple(stored[f"{name}.{SHAPE}"].tolist())
        numbers = inflate(stored[f"{name}.{CODES}"], shape)
        weight = numbers.float() * stored[f"{name}.{STEP}"]
        if f"{name}.{BIAS}" in stored:
            tensors[f"{name}.weight"] = weight
            tensors[f"{name}.{BIAS}"] = stored[f"{name}.{BIAS}"].float()
        else:
            tensors[name] = weight
    return tensors
