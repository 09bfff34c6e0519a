"""What the losses compare: feature maps and statistics of a picture, computed at once or strip by strip."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from nst.vgg.moments import Moments, average, moments, moments_through, projected
from nst.vgg.strips import Strip, cut


class Stage(NamedTuple):
    """A convolution or a pooling, and where it stands in the network."""

    convolution: bool
    before: int  # channels that go in
    channels: int  # channels that come out
    stride: int  # pixels from one position of what comes out to the next
    reach: int  # pixels beyond its own that a position sees


class Network(Protocol):
    """What `describe` needs of an encoder."""

    @property
    def blocks(self) -> Sequence[Stage]:
        """The pooling at the end of each block."""

    def stage(self, layer: str) -> Stage:
        """Return the convolution of a layer."""

    def look(
        self, value: Tensor, layers: Iterable[str], begin: int = 0, end: int | None = None
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Return the layers' activations in some blocks, and what comes out of these."""

    def mapped(self, layer: str, features: Tensor) -> Tensor:
        """Return a layer's features from its activations."""

    def matrix(self, layer: str) -> Tensor | None:
        """Return a layer's projection, None if its features are its activations."""


Guides = dict[str, list[Tensor | None]]
Matrices = Mapping[str, Sequence[Tensor | None]]
Statistics = dict[str, tuple[Moments, ...]]

# Rows of a strip: with few of them, those that neighbours share are most of the work.
ROWS = 128


class Description(NamedTuple):
    """What an encoder sees in a picture."""

    features: dict[str, Tensor]  # layer -> (1, C, h, w) in the encoder's precision
    statistics: Statistics  # layer -> those of each mask, float32


def describe(
    encoder: Network,
    image: Tensor,
    content: tuple[str, ...],
    style: tuple[str, ...],
    masks: Sequence[Tensor | None],
    blocks: int,
    matrices: Matrices | None,
) -> Description:
    """Return what `Encoder.describe` returns."""
    if matrices is None:
        matrices = {name: [encoder.matrix(name)] * len(masks) for name in style}
    stages = {name: encoder.stage(name) for name in (*content, *style)}
    guides = {name: [_shrunk(mask, image, stages[name].stride) for mask in masks] for name in style}
    blocks = min(blocks, len(encoder.blocks))
    seen, value, deep = Description({}, {}), image, list(stages)
    if blocks:
        end = encoder.blocks[blocks - 1]
        shallow = {name: stage for name, stage in stages.items() if stage.stride < end.stride}
        seen, value = _in_strips(encoder, image, content, shallow, guides, blocks)
        deep = [name for name in stages if name not in shallow]
    features = dict(seen.features)
    statistics = {
        name: tuple(
            each if matrix is None else projected(each, matrix)
            for each, matrix in zip(found, matrices[name], strict=True)
        )
        for name, found in seen.statistics.items()
    }
    for name, maps in (encoder.look(value, deep, blocks)[0] if deep else {}).items():
        if name in content:
            features[name] = maps
        if name in style:
            statistics[name] = tuple(
                moments_through(maps, guide, matrix)
                for guide, matrix in zip(guides[name], matrices[name], strict=True)
            )
    return Description({name: encoder.mapped(name, features[name]) for name in content}, statistics)


def _in_strips(
    encoder: Network,
    image: Tensor,
    content: Sequence[str],
    stages: Mapping[str, Stage],
    guides: Guides,
    blocks: int,
) -> tuple[Description, Tensor]:
    """Return activations and statistics of the layers in the first blocks, and what comes out of these.

    Args:
        stages: the layers in these blocks.
    """
    end, height = encoder.blocks[blocks - 1], image.shape[-2]
    strips = cut(height, math.ceil(height / ROWS), end.reach, end.stride)
    shown = [name for name in stages if name in content]
    styles = [(name, guide) for name in stages if name in guides for guide in guides[name]]

    def look(part: Tensor, strip: Strip) -> tuple[Tensor, ...]:
        """Return a strip's own rows of what comes out and of the layers that are shown, and its moments."""
        activations, value = encoder.look(part, stages, 0, blocks)
        own = {name: _rows(maps, strip.own(stages[name].stride)) for name, maps in activations.items()}
        found = [_rows(value, strip.own(end.stride)), *(own[name] for name in shown)]
        for name, guide in styles:
            there = None if guide is None else _rows(guide, strip.whole(stages[name].stride))
            found += moments(own[name], there)
        return tuple(found)

    flat = _EachStrip.apply(image, look, strips)
    count = len(flat) // len(strips)
    # What `look` returns, each of all strips.
    parts = iter(zip(*(flat[at : at + count] for at in range(0, len(flat), count)), strict=True))
    value = torch.cat(next(parts), -2)
    features = {name: torch.cat(next(parts), -2) for name in shown}
    statistics: Statistics = {}
    for name, guide in styles:
        found = [Moments(*each) for each in zip(next(parts), next(parts), strict=True)]
        whole = average(found, _shares(guide, strips, stages[name].stride))
        statistics[name] = (*statistics.get(name, ()), whole)
    return Description(features, statistics), value


class _EachStrip(torch.autograd.Function):
    """What a function sees in each strip of a picture, which is not held but seen again for the gradient."""

    @staticmethod
    def forward(
        ctx: Any, image: Tensor, look: Callable[[Tensor, Strip], tuple[Tensor, ...]], strips: Sequence[Strip]
    ) -> tuple[Tensor, ...]:
        ctx.save_for_backward(image)
        ctx.look, ctx.strips = look, strips
        return tuple(
            found for strip in strips for found in look(image[..., strip.top : strip.bottom, :], strip)
        )

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (image,) = ctx.saved_tensors
        result, count = torch.zeros_like(image), len(gradients) // len(ctx.strips)
        for number, strip in enumerate(ctx.strips):
            part = image[..., strip.top : strip.bottom, :].detach().requires_grad_()
            with torch.enable_grad():
                found = ctx.look(part, strip)
            (slope,) = torch.autograd.grad(found, part, gradients[number * count : (number + 1) * count])
            result[..., strip.top : strip.bottom, :] += slope
        return result, None, None


def _shrunk(mask: Tensor | None, image: Tensor, stride: int) -> Tensor | None:
    """Return a mask of `image` at the size of a layer whose positions are `stride` pixels apart."""
    if mask is None or stride == 1:
        return mask
    size = (image.shape[-2] // stride, image.shape[-1] // stride)
    return F.interpolate(mask, size, mode="area")


def _rows(value: Tensor, rows: slice) -> Tensor:
    """Return some rows of a map."""
    # No slice of all rows, which would cost a copy for the gradient. Sliced with channels last, as gradients
    # would otherwise take the other layout, at which convolutions are slow.
    if rows == slice(0, value.shape[-2]):
        return value
    return value.permute(0, 2, 3, 1)[:, rows].permute(0, 3, 1, 2)


def _shares(guide: Tensor | None, pieces: Sequence[Strip], stride: int) -> list[float | Tensor]:
    """Return how much each strip counts in statistics taken where `guide` is."""
    wholes = [piece.whole(stride) for piece in pieces]
    if guide is None:
        positions = wholes[-1].stop
        return [(rows.stop - rows.start) / positions for rows in wholes]
    total = guide.sum().clamp_min(1e-12)
    return [guide[..., rows, :].sum() / total for rows in wholes]
