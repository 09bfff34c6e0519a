"""The weighted sum of losses that a painting minimises, at one size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nst.image.masks import Region
from nst.optimization.encoder_cache import digest, kept
from nst.optimization.loss_terms import (
    ContentLoss,
    ContentTarget,
    GaussianTarget,
    GramTarget,
    Mean,
    Seen,
    StyleLoss,
    StyleTarget,
    TotalVariationLoss,
    Weighted,
    plainness,
    prominence,
    total_variation,
)
from nst.optimization.subject import MOST_SUBJECT, manner
from nst.settings import Settings
from nst.vgg.description import Description
from nst.vgg.encoder import Encoder
from nst.vgg.layers import AUTOMATIC, DEEP, content_weights, style_weights
from nst.vgg.moments import Moments, average, moments, total

# Content against style with both sliders in the middle; quality.md says what it was measured by.
BALANCE = 0.034
# How much more the photo counts where it stands out: the power of its deepest features' prominence.
ATTENTION = 0.5
# Deep layers' covariances are of many channels over few positions: most of their directions are noise.
DEEP_FLOOR = 0.3
# The photo's share of the place of a style's subject, with the slider of large shapes in its middle.
FILL = 0.6
# The weight of the total variation with the slider of smoothness in its middle.
TOTAL_VARIATION = 0.0168
# The least total variation that a style is taken to have, as a share of the photo's.
PLAINEST = 0.05


def _shaped(weights: dict[str, float], large_shapes: float) -> dict[str, float]:
    """Return the weights with the deep layers' as the knob says: 0 none, 5 as they are, 10 four times."""
    factor = large_shapes / 5 if large_shapes < 5 else 4 ** (large_shapes / 5 - 1)
    shaped = {name: weight * factor if name in DEEP else weight for name, weight in weights.items()}
    return {name: weight for name, weight in shaped.items() if weight}


def _fill(large_shapes: float) -> float:
    """Return the photo's share of the subject's place: all of it at 0, `FILL` at 5, nothing at 10."""
    return 1 - (1 - FILL) * large_shapes / 5 if large_shapes < 5 else FILL * (2 - large_shapes / 5)


def _shrunk(part: Tensor | None, features: Tensor) -> Tensor | None:
    """Return a mask of a picture at the size of its feature map, by area."""
    return None if part is None else F.adaptive_avg_pool2d(part, (features.shape[-2], features.shape[-1]))


def _weighted(features: Tensor, part: Tensor | None) -> Tensor:
    """Return features whose mean square is that of the part that counts."""
    if part is None:
        return features
    return features * (part / part.mean().clamp_min(1e-12)).sqrt().to(features.dtype)


def _around(picture: Tensor, part: Tensor | None) -> Tensor:
    """Return the smallest rectangle of a picture that holds the part that counts."""
    if part is None:
        return picture
    rows, columns = (part[0, 0].amax(dim).gt(0.5).nonzero() for dim in (1, 0))
    if min(len(rows), len(columns)) < 2:
        return picture
    return picture[..., rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@dataclass(frozen=True)
class _StyleDescription:
    """What the losses need of a style picture."""

    features: dict[str, Tensor]  # of the content layers; only their energies count
    statistics: dict[str, Moments]
    shares: dict[str, Tensor]  # of a deep layer's positions, those that are not the subject's

    def filled(self, layer: str, photo: Moments, fill: float) -> Moments:
        """Return a layer's statistics, the photo's in a share of the place of the subject."""
        if layer not in self.shares:
            return self.statistics[layer]
        share = 1 - fill * (1 - self.shares[layer])
        return average([self.statistics[layer], photo], [share, 1 - share])


@dataclass(frozen=True)
class Evaluation:
    """The objective at one image."""

    loss: Tensor  # scalar
    gradient: Tensor  # as the image
    terms: Tensor  # each loss, before its weight
    names: tuple[str, ...]  # of the losses

    def named(self) -> dict[str, float]:
        """Return the terms and the weighted total by name; waits for the device."""
        values = torch.cat([self.terms, self.loss.view(1)]).tolist()
        return dict(zip((*self.names, "total"), values, strict=True))


class Objective:
    """Compares an image with a photo's content and the styles of one or more paintings.

    Args:
        encoder: whose layers are compared.
        content: (1, 3, H, W) photo at the size that is painted, or (1, 1, H, W), its luminance.
        styles: paintings, any size, as many channels, at the scale at which their strokes should appear.
        settings: weights and layers.
        regions: which part of the canvas takes which styles, masks as large as the photo; if left out, all
            styles everywhere, with equal shares. A region's target is the weighted mean of its styles'
            statistics, as if they were one picture; regions count by their area.
        painted: (1, 1, H, W), 1 where the image counts and 0 where the photo stays in its place; everywhere
            if left out.
        blocks: of how many of the encoder's blocks only a strip is held at a time, to save memory.
        parts: where in each painting the style is taken from, (1, 1, h, w) as large as it, or None for
            everywhere; everywhere in all of them if left out.

    Raises:
        InputError: the settings name a layer that the encoder does not carry.
    """

    def __init__(
        self,
        encoder: Encoder,
        content: Tensor,
        styles: Sequence[Tensor],
        settings: Settings,
        regions: Sequence[Region] | None = None,
        painted: Tensor | None = None,
        blocks: int = 0,
        parts: Sequence[Tensor | None] | None = None,
    ) -> None:
        self.encoder, self.blocks = encoder, blocks
        self.photo, self.painted = content, painted
        regions = regions or [Region(tuple(1 / len(styles) for _ in styles))]
        self.masks = [region.mask for region in regions]
        areas = [1.0 if mask is None else float(mask.mean()) for mask in self.masks]
        overall = [
            sum(area * region.shares[k] for area, region in zip(areas, regions, strict=True)) / sum(areas)
            for k in range(len(styles))
        ]
        used = [k for k, share in enumerate(overall) if share > 0]
        shares = [overall[k] for k in used]
        content_layers = content_weights(settings.content_layer, encoder.layers)
        style_layers = style_weights(settings.style_layers, encoder.layers)
        fill = FILL
        if settings.style_layers == AUTOMATIC:  # the knob does not change layers that the user chose
            style_layers = _shaped(style_layers, settings.large_shapes)
            fill = _fill(settings.large_shapes)
        self.content_layers, self.style_layers = tuple(content_layers), tuple(style_layers)

        with torch.no_grad():
            sources = [(styles[k], None if parts is None else parts[k]) for k in used]
            photo = self._described_photo()
            paintings = [
                self._described_painting(picture, part, settings.subject) for picture, part in sources
            ]
            attention = prominence(photo.features[encoder.layers[-1]], ATTENTION)
            content_targets = {
                layer: ContentTarget(
                    photo.features[layer], [each.features[layer] for each in paintings], shares, attention
                )
                for layer in content_layers
            }
            # For each layer one in each region.
            self.style_targets = {
                layer: [
                    self._style_target(
                        layer,
                        settings.style_loss,
                        average(
                            [each.filled(layer, seen, fill) for each in paintings],
                            [region.shares[k] for k in used],
                        ),
                        seen,
                    )
                    for region, seen in zip(regions, photo.statistics[layer], strict=True)
                ]
                for layer in style_layers
            }
            variation = total(
                share * total_variation(_around(picture, part))
                for share, (picture, part) in zip(shares, sources, strict=True)
            )
            # At least a share of the photo's: a plain style would divide by zero, or make the painting plain.
            variation = torch.maximum(variation, PLAINEST * total_variation(content)).clamp_min(1e-4)

        # What is minimised: the sum of these, each times its weight.
        device = content.device
        region_areas = torch.tensor(areas, dtype=torch.float32, device=device)
        self.losses: dict[str, Weighted] = {
            "content": Weighted(
                BALANCE * 2 ** ((settings.content_weight - 5) / 2),
                Mean(
                    [
                        Weighted(weight, ContentLoss(layer, content_targets[layer]))
                        for layer, weight in content_layers.items()
                    ],
                    device,
                ),
            ),
            "style": Weighted(
                2 ** ((settings.style_weight - 5) / 2),
                Mean(
                    [
                        Weighted(weight, StyleLoss(layer, self.style_targets[layer], region_areas))
                        for layer, weight in style_layers.items()
                    ],
                    device,
                ),
            ),
            "total variation": Weighted(
                TOTAL_VARIATION * (settings.smoothness / 5) ** 2, TotalVariationLoss(variation)
            ),
        }
        # What the canvas's activations are multiplied by before they are compared.
        self.projections = {
            layer: [target.projection for target in targets] for layer, targets in self.style_targets.items()
        }

    def __call__(self, image: Tensor) -> Evaluation:
        """Evaluate the objective and its gradient at `image`, shaped as the photo."""
        with torch.enable_grad():
            leaf = image.detach().requires_grad_()  # (1, C, H, W)
            shown = leaf if self.painted is None else self.photo + self.painted * (leaf - self.photo)
            seen = Seen(
                shown,
                *self.encoder.describe(
                    shown, self.content_layers, self.style_layers, self.masks, self.blocks, self.projections
                ),
            )
            terms = [each.loss(seen) for each in self.losses.values()]
            loss = total(each.weight * term for each, term in zip(self.losses.values(), terms, strict=True))
            (gradient,) = torch.autograd.grad(loss, leaf)
        return Evaluation(loss.detach(), gradient, torch.stack(terms).detach(), tuple(self.losses))

    def _described_photo(self) -> Description:
        """Return the photo's features, and its statistics in each region."""
        content = tuple(dict.fromkeys((*self.content_layers, self.encoder.layers[-1])))
        masks = tuple(None if mask is None else digest(mask) for mask in self.masks)
        return kept(
            self.encoder,
            (digest(self.photo), masks, content, self.style_layers),
            lambda: self.encoder.describe(self.photo, content, self.style_layers, self.masks, self.blocks),
        )

    def _described_painting(self, picture: Tensor, part: Tensor | None, subject: float) -> _StyleDescription:
        """Return what the losses need of a style picture; deep layers leave its subject out."""
        content, style = self.content_layers, self.style_layers
        deep = tuple(name for name in style if name in DEEP) if subject < MOST_SUBJECT else ()
        deepest_layer = self.encoder.layers[-1:] if deep else ()

        def look() -> _StyleDescription:
            layers = tuple(dict.fromkeys((*content, *deep, *deepest_layer)))
            features, seen = self.encoder.describe(picture, layers, style, [part], self.blocks)
            counted = {name: _shrunk(part, value) for name, value in features.items()}
            statistics, shares = {name: each[0] for name, each in seen.items()}, {}
            for name in deepest_layer:
                weights = manner(features[name], subject, counted[name])
            for name in deep:
                whole, size = counted[name], (features[name].shape[-2], features[name].shape[-1])
                counts = F.interpolate(weights, size, mode="bilinear")
                if whole is not None:
                    counts = counts * whole
                statistics[name] = moments(features[name], counts)
                shares[name] = counts.mean() / (1 if whole is None else whole.mean().clamp_min(1e-12))
            contents = {name: _weighted(features[name], counted[name]) for name in content}
            return _StyleDescription(contents, statistics, shares)

        return kept(
            self.encoder,
            (digest(picture), None if part is None else digest(part), subject, content, style),
            look,
        )

    def _style_target(self, layer: str, style_loss: str, style: Moments, photo: Moments) -> StyleTarget:
        """Return what a region is compared with in a layer."""
        floor = DEEP_FLOOR if layer in DEEP else GaussianTarget.FLOOR
        # Left out for an ordinary style, whose target is then the same for every photo.
        plain_style_photo = photo if float(plainness(style)) > 1e-6 else None
        matrix = self.encoder.matrix(layer)
        return kept(
            self.encoder,
            (layer, style_loss, floor, *(digest(part) for part in (*style, *(plain_style_photo or ())))),
            lambda: (
                GramTarget(style, plain_style_photo, matrix)
                if style_loss == "gram"
                else GaussianTarget(style, floor, plain_style_photo, matrix)
            ),
        )
