"""The weighted sum of content, style and smoothness that a painting minimises, at one size."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from nst.encoder import Encoder
from nst.losses import STYLE_TARGETS, ContentTarget, average, total_variation
from nst.settings import Settings

# Content against style with both sliders in the middle. Measured over several pairs with VGG-19's
# convolutions: 0.0005 leaves almost pure style texture, 0.1 a light touch.
BALANCE = 0.044
# Smoothness in the middle of its slider weighs this much.
ROUGHNESS = 0.0144


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
        encoder: whose layers are compared; its default layers are used.
        content: (1, 3, H, W) photo at the size that is painted.
        styles: paintings, any size, at the scale at which their strokes should appear. The target is the
            mean of their statistics, as if they were one picture.
        settings: the weights.
    """

    def __init__(self, encoder: Encoder, content: Tensor, styles: list[Tensor], settings: Settings) -> None:
        self.encoder = encoder
        self.style_weight = 2 ** ((settings.style_weight - 5) / 2)
        self.content_weight = BALANCE * 2 ** ((settings.content_weight - 5) / 2)
        self.roughness_weight = ROUGHNESS * (settings.smoothness / 5) ** 2
        with torch.no_grad():
            scene, _ = encoder.describe(content, encoder.content_layers, ())
            looks = [
                encoder.describe(style, encoder.content_layers, encoder.style_layers) for style in styles
            ]
            self.content = {
                name: ContentTarget(goal, [taps[name] for taps, _ in looks]) for name, goal in scene.items()
            }
            make = STYLE_TARGETS[settings.style_loss]
            self.styles = {
                name: make(average([found[name] for _, found in looks])) for name in encoder.style_layers
            }
            rough = torch.stack([total_variation(style) for style in styles]).mean()
            self.rough = rough.clamp_min(1e-4)  # a plain sheet of colour is no reason to divide by zero

    def __call__(self, image: Tensor) -> Evaluation:
        """Evaluate the objective and its gradient at `image`, (1, 3, H, W)."""
        with torch.enable_grad():
            leaf = image.detach().requires_grad_()
            taps, found = self.encoder.describe(leaf, self.content, self.styles)
            content = torch.stack([goal.distance(taps[n]) for n, goal in self.content.items()]).mean()
            style = torch.stack([goal.distance(found[n]) for n, goal in self.styles.items()]).mean()
            roughness = total_variation(leaf) / self.rough
            loss = (
                self.content_weight * content + self.style_weight * style + self.roughness_weight * roughness
            )
            (gradient,) = torch.autograd.grad(loss, leaf)
        return Evaluation(loss.detach(), gradient, torch.stack([content, style, roughness]).detach())
