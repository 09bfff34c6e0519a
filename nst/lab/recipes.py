"""Others' methods, written plainly, to compare our pictures with.

Each recipe keeps its authors' losses, weights, sizes, optimiser and number of iterations. They run on our
encoder, with its padding, on as many of their layers as it carries: where VGG-19 ends at relu3_4, this stands
for relu4_1 and relu3_3 for relu4_2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nst.image.tensors import fit, resize
from nst.optimization.loss_terms import relative_error, total_variation
from nst.vgg.encoder import Encoder
from nst.vgg.moments import Moments, gram_matrix, moments, total

# Steps of crowsonkb's at the first size, and at each further one.
FIRST, FURTHER = 1000, 500

Recipe = Callable[[Encoder, Tensor, Tensor, int], Tensor]


def crowsonkb(encoder: Encoder, photo: Tensor, style: Tensor, size: int) -> Tensor:
    """Paint with the losses and defaults of crowsonkb/style-transfer-pytorch.

    Squared content differences times 0.015; Wasserstein-2 distance between the feature distributions taken as
    normal, layers weighted 256 : 64 : 16 : 4 : 1; quadratic total variation times 2. Adam at 0.02 with
    decays (0.9, 0.99), 1,000 steps at 128 pixels, then 500 at each size, larger by sqrt 2 every time, its
    moments resized along; pixels kept in [0, 1]; the result of each size is the running mean of the steps.

    Args:
        encoder: VGG-19. Each layer is divided by its mean activation on the two pictures, since the weights
            of the losses were chosen for activations of about one.
        photo: (1, 3, H, W) in [0, 1].
        size: longest side of the result.

    Returns:
        (1, 3, h, w) in [0, 1].
    """
    # As they stand in relu1_1 .. relu5_1; those of layers that are missing are missing from the sum too.
    weights = dict(zip(encoder.style_layers, (256, 64, 16, 4, 1), strict=False))
    whole = sum(weights.values())
    with torch.no_grad():
        views = [resize(picture, fit(*_sides(picture), 256)).clamp(0, 1) for picture in (photo, style)]
        layers = {*weights, *encoder.content_layers}
        features = [encoder(view, layers) for view in views]
        level = {
            name: sum(float(f[name].float().mean()) for f in features) / len(features) for name in layers
        }
    canvas, state = photo, None
    sizes = _sizes(size)
    for longest in sizes:
        sides = fit(*_sides(photo), longest)
        with torch.no_grad():
            target = encoder(resize(photo, sides).clamp(0, 1), encoder.content_layers)
            # A style that is smaller than this is not enlarged.
            look = resize(style, fit(*_sides(style), min(longest, max(_sides(style))))).clamp(0, 1)
            features = encoder(look, weights)
            targets = {name: _Distribution(features[name] / level[name]) for name in weights}
        canvas = F.interpolate(canvas, sides[::-1], mode="bicubic").clamp(0, 1)
        canvas = canvas.detach().requires_grad_()
        optimizer = torch.optim.Adam([canvas], lr=0.02, betas=(0.9, 0.99))
        if state:
            optimizer.state[canvas] = _enlarged(state, sides)
        mean, share = 0.01 * canvas.detach(), 0.01
        for _ in range(FIRST if longest == sizes[0] else FURTHER):
            features = encoder(canvas, layers)
            content = sum(
                ((features[name].float() - target[name].float()) / level[name]).square().mean()
                for name in target
            )
            manner = sum(
                weights[name] / whole * targets[name].distance(features[name] / level[name])
                for name in targets
            )
            # Our total variation is two thirds of the squared gradient.
            loss = 0.015 * content / len(target) + manner + 2 * 1.5 * total_variation(canvas)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                canvas.clamp_(0, 1)
                mean = 0.99 * mean + 0.01 * canvas
                share = 0.99 * share + 0.01
        state = optimizer.state[canvas]
        canvas = mean / share
    return canvas.clamp(0, 1)


def _sizes(size: int) -> list[int]:
    """Return sizes that grow by sqrt 2 from 128 pixels on."""
    sizes = [size]
    while round(size / 2 ** (len(sizes) / 2)) >= min(128, size):
        sizes.insert(0, round(size / 2 ** (len(sizes) / 2)))
    return sizes


def _enlarged(state: dict[str, Any], sides: tuple[int, int]) -> dict[str, Any]:
    """Return Adam's moments at (width, height)."""
    return {
        "step": state["step"],
        "exp_avg": F.interpolate(state["exp_avg"], sides[::-1], mode="bicubic"),
        "exp_avg_sq": F.interpolate(state["exp_avg_sq"], sides[::-1], mode="bilinear").relu(),
    }


class _Distribution:
    """The features of a picture as a normal distribution, and how far others are from it.

    Wasserstein-2: |m - m*|^2 + tr(C + C* - 2 (C*^1/2 C C*^1/2)^1/2), divided by the number of channels.
    """

    def __init__(self, features: Tensor) -> None:
        self.mean, self.covariance = self._moments(features)
        self.root, _ = roots(self.covariance)

    def distance(self, features: Tensor) -> Tensor:
        mean, covariance = self._moments(features)
        cross = _TraceOfRoot.apply(self.root @ covariance @ self.root)
        spread = (self.covariance.trace() + covariance.trace() - 2 * cross) / len(mean)
        return (mean - self.mean).square().mean() + spread

    @staticmethod
    def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
        statistics = moments(features)
        noise = 1e-4 * torch.eye(len(statistics.mean), device=statistics.mean.device)
        return statistics.mean, statistics.covariance + noise


class _TraceOfRoot(torch.autograd.Function):
    """tr M^1/2 of a symmetric positive definite matrix; its derivative is M^-1/2 / 2."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor) -> Tensor:
        root, inverse = roots(matrix)
        ctx.save_for_backward(inverse)
        return root.trace()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (inverse,) = ctx.saved_tensors
        return gradient * (inverse + inverse.T) / 4


def roots(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return M^1/2 and M^-1/2 of a symmetric positive definite matrix.

    In float64, as the authors' twelve steps of Newton and Schulz can overflow in float32. On a CPU by
    eigenvalues, on a GPU by those steps, since eigenvalues would take most of a painting's time there.
    """
    if matrix.is_cuda:
        return newton_schulz(matrix)
    values, basis = torch.linalg.eigh(matrix.double())
    values = values.clamp_min(1e-9 * values[-1])
    return tuple(((basis * values**power) @ basis.T).to(matrix.dtype) for power in (0.5, -0.5))


def newton_schulz(matrix: Tensor, steps: int = 24) -> tuple[Tensor, Tensor]:
    """Return M^1/2 and M^-1/2 by Y' = Y T and Z' = T Z with T = (3 - Z Y) / 2 from Y = M / |M| and Z = 1."""
    size = matrix.double().norm()
    root = matrix.double() / size
    inverse = identity = torch.eye(len(matrix), dtype=root.dtype, device=root.device)
    for _ in range(steps):
        factor = (3 * identity - inverse @ root) / 2
        root, inverse = root @ factor, factor @ inverse
    return (root * size.sqrt()).to(matrix.dtype), (inverse / size.sqrt()).to(matrix.dtype)


def _sides(picture: Tensor) -> tuple[int, int]:
    return picture.shape[-1], picture.shape[-2]


def plain_pyramid(encoder: Encoder, photo: Tensor, style: Tensor, size: int) -> Tensor:
    """Paint with Gram matrices alone on a pyramid: no total variation, little content.

    Relative content and style errors weighted 0.005 : 1, torch's L-BFGS (history 10, no line search) for
    150, 150, 80 and 15 iterations at an eighth, a quarter, half and all of the size.

    Args:
        encoder: VGG-19.
        photo: (1, 3, H, W) in [0, 1].
        size: longest side of the result.

    Returns:
        (1, 3, h, w) in [0, 1].
    """
    canvas = photo
    for fraction, iterations in ((8, 150), (4, 150), (2, 80), (1, 15)):
        sides = fit(*_sides(photo), size // fraction)
        with torch.no_grad():
            target = encoder(resize(photo, sides).clamp(0, 1), encoder.content_layers)
            look = resize(style, fit(*_sides(style), size // fraction)).clamp(0, 1)
            _, grams = encoder.describe(look, (), encoder.style_layers)
        canvas = F.interpolate(canvas, sides[::-1], mode="bicubic").detach().requires_grad_()
        canvas = _level(encoder, canvas, target, grams, iterations)
    return canvas.clamp(0, 1)


def _level(
    encoder: Encoder,
    canvas: Tensor,
    target: dict[str, Tensor],
    grams: dict[str, tuple[Moments, ...]],
    iterations: int,
) -> Tensor:
    """Return a canvas after one size of the plain pyramid."""
    optimizer = torch.optim.LBFGS(
        [canvas], max_iter=iterations, history_size=10, tolerance_grad=0, tolerance_change=0
    )

    def evaluate() -> Tensor:
        optimizer.zero_grad()
        features, statistics = encoder.describe(canvas, target, grams)
        content = total(relative_error(features[name], target[name]) for name in target) / len(target)
        errors = (relative_error(statistics[name][0].gram, grams[name][0].gram) for name in grams)
        loss = 0.005 * content + total(errors) / len(grams)
        loss.backward()
        return loss

    optimizer.step(evaluate)
    return canvas.detach()


def classic(
    encoder: Encoder,
    photo: Tensor,
    style: Tensor,
    size: int,
    *,
    iterations: int = 500,
    seen: Callable[[int, Tensor], None] = lambda iteration, image: None,
) -> Tensor:
    """Paint as neural-style and its followers do: one size, from noise, torch's own L-BFGS.

    Squared content differences times 5; squared differences of Gram matrices divided by C * H * W, times 100
    each; total variation (absolute, summed) times 0.001; pixels from 0 to 255 less the mean; L-BFGS with a
    history of 100.

    Args:
        encoder: VGG-19 in float32, as they run it.
        photo: (1, 3, H, W) in [0, 1].
        size: longest side of the result, and of the style.
        iterations: how many evaluations.
        seen: called with the number of the evaluation and the image, (1, 3, h, w) in [0, 1], at each.

    Returns:
        (1, 3, h, w) in [0, 1].
    """
    sides = fit(*_sides(photo), size)
    layers = (*encoder.style_layers, *encoder.content_layers)

    def grams(features: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: gram_matrix(features[name]) / features[name].shape[1] for name in encoder.style_layers}

    with torch.no_grad():
        target = encoder(resize(photo, sides).clamp(0, 1), encoder.content_layers)
        style_grams = grams(
            encoder(resize(style, fit(*_sides(style), size)).clamp(0, 1), encoder.style_layers)
        )
    generator = torch.Generator().manual_seed(0)
    level = 255 * encoder.mean
    canvas = 0.001 * torch.randn(1, 3, *sides[::-1], generator=generator).to(photo.device)
    canvas.requires_grad_()
    optimizer = torch.optim.LBFGS(
        [canvas], max_iter=iterations, history_size=100, tolerance_grad=-1, tolerance_change=-1
    )
    count = 0

    def evaluate() -> Tensor:
        nonlocal count
        optimizer.zero_grad()
        features = encoder((canvas + level) / 255, layers)
        content = total(F.mse_loss(features[name], target[name]) for name in target)
        manner = total(F.mse_loss(gram, style_grams[name]) for name, gram in grams(features).items())
        variation = total((canvas.diff(dim=axis)).abs().sum() for axis in (2, 3))
        loss = 5 * content + 100 * manner + 0.001 * variation
        loss.backward()
        count += 1
        seen(count, ((canvas.detach() + level) / 255).clamp(0, 1))
        return loss

    optimizer.step(evaluate)
    return ((canvas.detach() + level) / 255).clamp(0, 1)


RECIPES: dict[str, Recipe] = {"crowsonkb": crowsonkb, "plain-pyramid": plain_pyramid, "classic": classic}
