"""The weighted sum of content, style and smoothness that a painting minimises, at one size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from nst.image.masks import Region
from nst.optimization.cache import cache_of, digest
from nst.optimization.losses import (
    ContentTarget,
    GaussianTarget,
    GramTarget,
    StyleTarget,
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
# How much more the photo counts where it has something to say: the power of its deepest features' prominence.
ATTENTION = 0.5
# The deep layers' covariances are of many channels over few positions: most directions mean nothing.
DEEP_FLOOR = 0.3
# How much of the place that a style's subject would take is left to the photo, the rest being its manner's;
# with large shapes in their middle.
FILL = 0.6
# Smoothness in the middle of its slider weighs this much.
ROUGHNESS = 0.0168
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
    """What is taken from a painting."""

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
    terms: Tensor  # relative content, style and roughness, before the weights

    def named(self) -> dict[str, float]:
        """Return the terms and the weighted total by name; waits for the device."""
        values = torch.cat([self.terms, self.loss.view(1)]).tolist()
        return dict(zip(("content", "style", "roughness", "total"), values, strict=True))


class Objective:
    """Compares an image with a photo's content and the styles of one or more paintings.

    Args:
        encoder: whose layers are compared.
        content: (1, 3, H, W) photo at the size that is painted, or (1, 1, H, W), its luminance.
        styles: paintings, any size, as many channels, at the scale at which their strokes should appear.
        settings: weights and layers.
        regions: which part of the canvas takes which styles, masks as large as the photo; all of it all of
            them alike if left out. A region's target is the weighted mean of its styles' statistics, as if
            they were one picture; regions count by their area.
        painted: (1, 1, H, W), 1 where the image counts and 0 where the photo stays in its place; everywhere
            if left out.
        strips: in how many strips pictures are looked at, for want of memory.
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
        strips: int = 1,
        parts: Sequence[Tensor | None] | None = None,
    ) -> None:
        self.encoder, self.strips, self.cache = encoder, strips, cache_of(encoder)
        self.style_weight = 2 ** ((settings.style_weight - 5) / 2)
        self.content_weight = BALANCE * 2 ** ((settings.content_weight - 5) / 2)
        self.roughness_weight = ROUGHNESS * (settings.smoothness / 5) ** 2
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
        if settings.style_layers == AUTOMATIC:
            style_layers = _shaped(style_layers, settings.large_shapes)
        with torch.no_grad():
            paintings = [(styles[k], None if parts is None else parts[k]) for k in used]
            self._build_targets(
                paintings, settings, regions, used, shares, tuple(content_layers), tuple(style_layers)
            )
        self.content_layer_weights = self.rough.new_tensor(list(content_layers.values()))
        self.style_layer_weights = self.rough.new_tensor(list(style_layers.values()))
        self.areas = self.rough.new_tensor(areas)

    def _build_targets(
        self,
        styles: Sequence[tuple[Tensor, Tensor | None]],
        settings: Settings,
        regions: Sequence[Region],
        used: Sequence[int],
        shares: Sequence[float],
        content_layers: tuple[str, ...],
        style_layers: tuple[str, ...],
    ) -> None:
        """Set the targets: the photo's content features, the styles' statistics, their total variation."""
        deepest_layer = self.encoder.layers[-1]
        # As the weights: layers that somebody has chosen are nothing that the knob shapes.
        fill = _fill(settings.large_shapes) if settings.style_layers == AUTOMATIC else FILL
        photo = self._described_photo(tuple(dict.fromkeys((*content_layers, deepest_layer))), style_layers)
        paintings = [
            self._described_painting(*style, settings.subject, content_layers, style_layers)
            for style in styles
        ]
        attention = prominence(photo.features[deepest_layer], ATTENTION)
        self.content = {
            name: ContentTarget(
                photo.features[name], [each.features[name] for each in paintings], shares, attention
            )
            for name in content_layers
        }
        self.styles = {
            name: [
                self._target(
                    name,
                    settings.style_loss,
                    DEEP_FLOOR if name in DEEP else GaussianTarget.FLOOR,
                    average(
                        [each.filled(name, seen, fill) for each in paintings],
                        [region.shares[k] for k in used],
                    ),
                    seen,
                )
                for region, seen in zip(regions, photo.statistics[name], strict=True)
            ]
            for name in style_layers
        }
        # What the canvas's activations are multiplied by to be compared.
        self.projections = {
            name: [target.projection for target in targets] for name, targets in self.styles.items()
        }
        rough = total(
            share * total_variation(_around(picture, part))
            for share, (picture, part) in zip(shares, styles, strict=True)
        )
        # A plain sheet of colour is no reason to divide by zero, or to paint as plainly.
        self.rough = torch.maximum(rough, PLAINEST * total_variation(self.photo)).clamp_min(1e-4)

    def _described_photo(self, content: tuple[str, ...], style: tuple[str, ...]) -> Description:
        """Return what the encoder sees in the photo, for style in each region by itself."""
        masks = tuple(None if mask is None else digest(mask) for mask in self.masks)
        return self.cache.get(
            (digest(self.photo), masks, content, style),
            lambda: self.encoder.describe(self.photo, content, style, self.masks, self.strips),
        )

    def _described_painting(
        self,
        picture: Tensor,
        part: Tensor | None,
        subject: float,
        content: tuple[str, ...],
        style: tuple[str, ...],
    ) -> _StyleDescription:
        """Return what is taken from a painting: all of its strokes, but not its subject's large shapes."""
        deep = tuple(name for name in style if name in DEEP) if subject < MOST_SUBJECT else ()
        deepest_layer = self.encoder.layers[-1:] if deep else ()

        def look() -> _StyleDescription:
            layers = tuple(dict.fromkeys((*content, *deep, *deepest_layer)))
            features, seen = self.encoder.describe(picture, layers, style, [part], self.strips)
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

        return self.cache.get(
            (digest(picture), None if part is None else digest(part), subject, content, style), look
        )

    def _target(
        self, layer: str, style_loss: str, floor: float, style: Moments, photo: Moments
    ) -> StyleTarget:
        # Of no account for an ordinary style, whose target is then the same for every photo.
        plain_style_photo = photo if float(plainness(style)) > 1e-6 else None
        matrix = self.encoder.matrix(layer)
        return self.cache.get(
            (layer, style_loss, floor, *(digest(part) for part in (*style, *(plain_style_photo or ())))),
            lambda: (
                GramTarget(style, plain_style_photo, matrix)
                if style_loss == "gram"
                else GaussianTarget(style, floor, plain_style_photo, matrix)
            ),
        )

    def __call__(self, image: Tensor) -> Evaluation:
        """Evaluate the objective and its gradient at `image`, shaped as the photo."""
        with torch.enable_grad():
            leaf = image.detach().requires_grad_()  # (1, C, H, W)
            shown = leaf if self.painted is None else self.photo + self.painted * (leaf - self.photo)
            seen = self.encoder.describe(
                shown, self.content, self.styles, self.masks, self.strips, self.projections
            )
            # (content layers,) and (style layers,)
            contents = torch.stack(
                [target.distance(seen.features[name]) for name, target in self.content.items()]
            )
            styles = torch.stack(
                [self._distance(seen.statistics[name], targets) for name, targets in self.styles.items()]
            )
            content = (self.content_layer_weights * contents).sum()
            style = (self.style_layer_weights * styles).sum() / self.style_layer_weights.sum()
            roughness = total_variation(shown) / self.rough
            loss = (
                self.content_weight * content + self.style_weight * style + self.roughness_weight * roughness
            )
            (gradient,) = torch.autograd.grad(loss, leaf)
        return Evaluation(loss.detach(), gradient, torch.stack([content, style, roughness]).detach())

    def _distance(self, statistics: Sequence[Moments], targets: Sequence[StyleTarget]) -> Tensor:
        """Return how far one layer is from its targets, the regions counting by area."""
        distances = torch.stack(
            [target.distance(each) for target, each in zip(targets, statistics, strict=True)]
        )
        return (self.areas * distances).sum()
