"""What the losses compare: feature maps and statistics of a picture, computed at once or strip by strip."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from nst.vgg.moments import Moments, average, moments_through, projected
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

    def stage(self, layer: str) -> Stage:
        """Return the convolution of a layer."""

    def activations(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """Return the layers' activations."""

    def mapped(self, layer: str, features: Tensor) -> Tensor:
        """Return a layer's features from its activations."""

    def matrix(self, layer: str) -> Tensor | None:
        """Return a layer's projection, None if its features are its activations."""


Guides = dict[str, list[Tensor | None]]
Matrices = Mapping[str, Sequence[Tensor | None]]


class Description(NamedTuple):
    """What an encoder sees in a picture."""

    features: dict[str, Tensor]  # layer -> (1, C, h, w) in the encoder's precision
    statistics: dict[str, tuple[Moments, ...]]  # layer -> those of each mask, float32


def describe(
    encoder: Network,
    image: Tensor,
    content: tuple[str, ...],
    style: tuple[str, ...],
    masks: Sequence[Tensor | None],
    strips: int,
    matrices: Matrices | None,
) -> Description:
    """Return what `Encoder.describe` returns."""
    if matrices is None:
        matrices = {name: [encoder.matrix(name)] * len(masks) for name in style}
    stages = {name: encoder.stage(name) for name in (*content, *style)}
    reach, stride = max(((stage.reach, stage.stride) for stage in stages.values()), default=(0, 1))
    guides = {name: [_shrunk(mask, image, stages[name].stride) for mask in masks] for name in style}
    strides = {name: stage.stride for name, stage in stages.items()}
    pieces = cut(image.shape[-2], strips, reach, stride)
    if len(pieces) == 1:
        seen = _look(encoder, image, pieces[0], content, guides, strides, matrices)
    else:
        whole = _joined(
            [
                # Its activations are computed again for the gradient instead of held.
                checkpoint(
                    _look,
                    encoder,
                    image[..., piece.top : piece.bottom, :],
                    piece,
                    content,
                    guides,
                    strides,
                    use_reentrant=False,
                )
                for piece in pieces
            ],
            pieces,
            guides,
            strides,
        )
        seen = Description(
            whole.features,
            {
                name: tuple(
                    each if matrix is None else projected(each, matrix)
                    for each, matrix in zip(statistics, matrices[name], strict=True)
                )
                for name, statistics in whole.statistics.items()
            },
        )
    return seen._replace(
        features={name: encoder.mapped(name, value) for name, value in seen.features.items()}
    )


def _look(
    encoder: Network,
    part: Tensor,
    strip: Strip,
    content: tuple[str, ...],
    guides: Guides,
    strides: dict[str, int],
    matrices: Matrices | None = None,
) -> Description:
    """Return the description of a strip's own rows, its statistics through these matrices, if any."""
    activations = encoder.activations(part, strides)
    own = {name: _rows(value, strip.own(strides[name])) for name, value in activations.items()}
    return Description(
        {name: own[name] for name in content},
        {
            name: tuple(
                moments_through(
                    own[name],
                    None if guide is None else _rows(guide, strip.whole(strides[name])),
                    matrices[name][number] if matrices else None,
                )
                for number, guide in enumerate(each)
            )
            for name, each in guides.items()
        },
    )


def _joined(
    seen: Sequence[Description], pieces: Sequence[Strip], guides: Guides, strides: dict[str, int]
) -> Description:
    """Return the description of the whole picture from those of its strips."""
    return Description(
        {name: torch.cat([each.features[name] for each in seen], -2) for name in seen[0].features},
        {
            name: tuple(
                average([one.statistics[name][k] for one in seen], _shares(guide, pieces, strides[name]))
                for k, guide in enumerate(each)
            )
            for name, each in guides.items()
        },
    )


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
