"""Making the packed VGG-19: integer weights whose features are close to the original ones.

    python -m nst.lab.pack --images FOLDER --weights vgg19.safetensors -o nst/vgg/vgg19.safetensors

Layer by layer, on the features of the packed layers before: least squares towards the unpacked network's
features, so that errors do not add up; then rounding, column by column, each one's error compensated by the
following columns (Frantar, Ashkboos, Hoefler and Alistarh, "GPTQ", ICLR 2023).
The bits are divided among the layers so that the errors of the layers that are used are least.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from huggingface_hub.utils import tqdm
from safetensors.torch import save_file
from torch import Tensor

from nst.errors import InputError
from nst.lab.training_pictures import TrainingPictures
from nst.vgg.encoder import Encoder
from nst.vgg.layers import LAYERS
from nst.vgg.packed import BIAS, CODES, MOST, SHAPE, STEP, deflate, unpack
from nst.vgg.weights import KEYS, find_vgg19

# Where the network is looked at: Gatys' layers for style, relu4_2 for content.
LOOKED_AT = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1")
_SAMPLES = 24_000  # positions that a layer learns from
_DAMPING = 0.01  # of the mean of the diagonal
_BLOCK = 128


def quantize(weight: Tensor, moments: Tensor, step: float) -> Tensor:
    """Return whole numbers whose multiples of `step` act as `weight` does on features of these moments.

    Args:
        weight: (out, in).
        moments: (in, in), mean of x xᵀ over the features.
        step: of the quantiser.

    Returns:
        (out, in), int8.
    """
    weight = weight.double().clone()
    moments = moments.double().clone()
    moments.diagonal().add_(_DAMPING * moments.diagonal().mean())
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(moments))
    factor = torch.linalg.cholesky(inverse, upper=True)
    numbers = torch.empty_like(weight)
    for begin in range(0, weight.shape[1], _BLOCK):
        end = min(begin + _BLOCK, weight.shape[1])
        errors = torch.zeros(len(weight), end - begin, dtype=weight.dtype)
        for column in range(begin, end):
            numbers[:, column] = (weight[:, column] / step).round().clamp(-MOST, MOST)
            error = (weight[:, column] - numbers[:, column] * step) / factor[column, column]
            weight[:, column:end] -= error[:, None] * factor[column, column:end]
            errors[:, column - begin] = error
        weight[:, end:] -= errors @ factor[begin:end, end:]
    return numbers.to(torch.int8)


def steps_of(convolutions: dict[str, Tensor], gains: dict[str, float], bits: float) -> dict[str, float]:
    """Return the step of each layer that makes the sum of all errors least within a number of bits.

    With an error of gain * step² for each layer that is looked at from there on, and log2(1 / step) bits for
    each weight, the least is where gain * looks * step² is in proportion to the number of weights.

    Args:
        convolutions: the weights, by name.
        gains: relative squared error of a layer's features for a step of 1, by name.
        bits: of all weights together.
    """
    looks = {
        name: sum(LAYERS[layer] > int(name.split(".")[1]) for layer in LOOKED_AT) for name in convolutions
    }
    shape = {
        name: (weight.numel() / gains[name] / looks[name]) ** 0.5 for name, weight in convolutions.items()
    }
    low, high = -60.0, 60.0
    for _ in range(60):
        middle = (low + high) / 2
        steps = {
            name: max(2.0**middle * shape[name], float(weight.abs().max()) / MOST)
            for name, weight in convolutions.items()
        }
        total = sum(weight.numel() * entropy(weight, steps[name]) for name, weight in convolutions.items())
        low, high = (middle, high) if total > bits else (low, middle)
    return steps


def entropy(weight: Tensor, step: float) -> float:
    """Return the bits of a weight that is rounded to a step."""
    counts = torch.bincount((weight.flatten() / step).round().long().clamp(-MOST, MOST) + MOST)
    shares = counts[counts > 0] / weight.numel()
    return float(-(shares * shares.log2()).sum())


def _patches(x: Tensor) -> Tensor:
    """Return (positions, in * 9) of (1, in, H, W), padded as the encoder pads."""
    return F.unfold(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3)[0].T


@torch.no_grad()
def pack(encoder: Encoder, crops: Sequence[Tensor], size: int) -> dict[str, Tensor]:
    """Return the packed convolutions of an encoder.

    Args:
        encoder: VGG-19, float32.
        crops: (1, 3, H, W) in [0, 1] each, to learn from.
        size: bytes of all codes together, at most; fewer where numbers of one byte can be no finer.
    """
    modules = list(encoder.features)
    weights = {
        f"features.{number}": module.weight
        for number, module in enumerate(modules)
        if isinstance(module, torch.nn.Conv2d)
    }
    gains, x = {}, [(crop - encoder.mean) / encoder.std for crop in crops[:8]]
    for number, module in enumerate(modules):
        y = [module(one) for one in x]
        if isinstance(module, torch.nn.Conv2d):
            inputs = sum(float(one.square().mean()) for one in x) * module.in_channels * 9
            outputs = sum(float(F.relu(one).square().mean()) for one in y)
            gains[f"features.{number}"] = inputs / outputs / 12
        x = y
    steps = steps_of({name: weight.detach() for name, weight in weights.items()}, gains, 8 * size)
    packed: dict[str, Tensor] = {}
    targets = [(crop - encoder.mean) / encoder.std for crop in crops]
    given = [target.clone() for target in targets]
    for number, module in enumerate(tqdm(modules, desc="packing")):
        if not isinstance(module, torch.nn.Conv2d):
            targets, given = [module(one) for one in targets], [module(one) for one in given]
            continue
        name = f"features.{number}"
        targets = [module(one) for one in targets]
        weight, bias, moments, mean = _towards(module, targets, given)
        numbers = quantize(weight, moments, steps[name])
        rounded = numbers.float() * steps[name]
        bias = bias + (weight - rounded) @ mean
        rounded = rounded.view_as(module.weight)
        packed |= {
            f"{name}.{CODES}": deflate(numbers),
            f"{name}.{SHAPE}": torch.tensor(module.weight.shape),
            f"{name}.{STEP}": torch.tensor(steps[name]),
            f"{name}.{BIAS}": bias,
        }
        given = [F.conv2d(F.pad(one, (1, 1, 1, 1), mode="replicate"), rounded, bias) for one in given]
    return packed


def _sample(x: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Return a share of the positions of a map, at random."""
    count = x.shape[-2] * x.shape[-1]
    return torch.randperm(count, generator=generator)[: max(1, round(share * count))]


def _towards(
    module: torch.nn.Conv2d, targets: Sequence[Tensor], given: Sequence[Tensor]
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return weight and bias that make of what is given what the unpacked network has, by least squares.

    Only the difference from the layer's own weight is fitted, and kept small. Returned as well: the mean of
    x xᵀ over the patches of what is given, and that of x.
    """
    generator = torch.Generator().manual_seed(0)
    share = min(1.0, _SAMPLES / sum(one[0, 0].numel() for one in given))
    own = torch.cat([module.weight.flatten(1), module.bias[:, None]], 1)  # type: ignore[index]
    square, cross, count = torch.zeros(own.shape[1], own.shape[1]), torch.zeros_like(own.T), 0
    for one, target in zip(given, targets, strict=True):
        take = _sample(one, share, generator)
        x = _patches(one)[take]
        x = torch.cat([x, torch.ones_like(x[:, :1])], 1)
        square.addmm_(x.T, x)
        cross.addmm_(x.T, target.flatten(2)[0].T[take] - x @ own.T)
        count += len(x)
    damped = square.double()
    damped.diagonal().add_(_DAMPING * damped.diagonal().mean())
    fitted = own + torch.cholesky_solve(cross.double(), torch.linalg.cholesky(damped)).float().T
    return fitted[:, :-1], fitted[:, -1], square[:-1, :-1] / count, square[-1, :-1] / count


@torch.no_grad()
def score(encoder: Encoder, packed: Encoder, crops: Sequence[Tensor]) -> dict[str, float]:
    """Return the relative squared errors of the features at the layers that are looked at."""
    errors = dict.fromkeys(LOOKED_AT, 0.0)
    for crop in crops:
        targets, features = encoder(crop, LOOKED_AT), packed(crop, LOOKED_AT)
        for name in LOOKED_AT:
            errors[name] += float(
                (features[name] - targets[name]).square().sum() / targets[name].square().sum()
            )
    return {name: error / len(crops) for name, error in errors.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m nst.lab.pack", description="Make the packed VGG-19.")
    parser.add_argument("--images", type=Path, required=True, help="folder of pictures to learn from")
    parser.add_argument(
        "--exclude", type=Path, help="folder of test pictures; pictures like these are left out"
    )
    parser.add_argument("--weights", default="", help="file of VGG-19's weights, complete to relu5_1")
    parser.add_argument("--crops", type=int, default=96, help="crops of 256 px to learn from")
    parser.add_argument("--size", type=float, default=9.7, help="megabytes of the numbers, at most")
    parser.add_argument("-o", "--output", type=Path, required=True, help="safetensors file to write")
    options = parser.parse_args(arguments)
    try:
        weights = find_vgg19(options.weights)
        if len(weights) < len(KEYS):
            raise InputError("The file of weights ends before relu5_1.")
        encoder = Encoder(weights, name="VGG-19", precision=torch.float32)
        pictures = TrainingPictures(options.images, options.exclude)
        crops = [pictures.crop(256) for _ in range(options.crops)]
        held_out = [pictures.crop(256, held_out=number) for number in range(len(pictures.held_out))]
        save_file(pack(encoder, crops, round(options.size * 1e6)), options.output)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    packed = Encoder(unpack(options.output), name="packed", precision=torch.float32)
    megabytes = options.output.stat().st_size / 1e6
    print(f"{megabytes:.2f} MB; relative squared errors on {len(held_out)} held-out crops")
    for name, rest in score(encoder, packed, held_out).items():
        print(f"{name:9} {rest:.5f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
