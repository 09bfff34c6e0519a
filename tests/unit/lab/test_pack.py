"""VGG-19 in fewer bits, in small."""

from __future__ import annotations

import pytest
import torch
from conftest import tiny_convolutions
from safetensors.torch import save_file

from nst.lab import pack
from nst.vgg.encoder import Encoder
from nst.vgg.packed import deflate, inflate, unpack

GENERATOR = torch.Generator().manual_seed(3)


def correlated(count: int = 4000, width: int = 24) -> torch.Tensor:
    """Return features of which each resembles the others, as those of neighbouring pixels do."""
    common = torch.randn(count, 1, generator=GENERATOR)
    return common + 0.3 * torch.randn(count, width, generator=GENERATOR)


def test_numbers_come_back_and_take_few_bits():
    numbers = (3 * torch.randn(40, 50, generator=GENERATOR)).round().to(torch.int8)
    stream = deflate(numbers)
    assert torch.equal(inflate(stream, (40, 50)), numbers)
    assert len(stream) < 0.6 * numbers.numel()
    for damaged, shape in ((stream, (40, 51)), (torch.zeros(9, dtype=torch.uint8), (3, 3))):
        with pytest.raises(ValueError, match=r"reshape|deflate"):
            inflate(damaged, shape)


def test_rounding_makes_good_what_it_does_to_the_features():
    x = correlated()
    weight = torch.randn(16, 24, generator=GENERATOR)
    numbers = pack.quantize(weight, x.T @ x / len(x), 0.2)
    assert (numbers.double() * 0.2 - weight).abs().max() < 2  # it is the same weight
    plain = (weight / 0.2).round() * 0.2
    far, near = (((w - weight) @ x.T).square().mean() for w in (plain, numbers * 0.2))
    assert near < 0.5 * far


@pytest.mark.parametrize("bits", [3, 6])
def test_the_steps_take_the_bits_there_are_and_early_layers_get_more(bits):
    weights = {f"features.{n}": torch.randn(200, 200, generator=GENERATOR) for n in (0, 28)}
    steps = pack.steps_of(weights, dict.fromkeys(weights, 1.0), bits * 80_000)
    total = sum(40_000 * pack.entropy(weight, steps[name]) for name, weight in weights.items())
    assert total == pytest.approx(bits * 80_000, rel=0.02)
    assert steps["features.0"] < steps["features.28"]  # all that is looked at comes after it


def test_a_packed_network_sees_what_the_whole_one_sees(tmp_path):
    encoder = Encoder(tiny_convolutions(13), name="whole")
    crops = [torch.rand(1, 3, 6, 6, generator=GENERATOR) for _ in range(6)]
    crops = [torch.nn.functional.interpolate(crop, (64, 64), mode="bicubic").clamp(0, 1) for crop in crops]
    count = sum(value.numel() for key, value in tiny_convolutions(13).items() if key.endswith("weight"))
    errors = []
    for bits in (4, 6):
        file = tmp_path / f"{bits}.safetensors"
        save_file(pack.pack(encoder, crops, bits * count // 8), file)
        packed = Encoder(unpack(file), name="packed")
        errors.append(pack.score(encoder, packed, crops[:2]))
    assert list(errors[0]) == list(pack.LOOKED_AT)
    assert all(more < 0.01 for more in errors[1].values()), errors
    assert sum(errors[1].values()) < 0.5 * sum(errors[0].values())
