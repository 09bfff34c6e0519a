from __future__ import annotations

import math

import pytest
import torch

from nst.optimization.optimizers import LBFGS, LONGEST_MOVE, OPTIMIZERS, FrequencyPreconditioner


def quadratic(size: int, condition: float):
    """Return f(x) = 1/2 (x - m)^T A (x - m) as a function of value and gradient, and m."""
    generator = torch.Generator().manual_seed(3)
    basis, _ = torch.linalg.qr(torch.randn(size, size, generator=generator, dtype=torch.float64))
    matrix = (basis * torch.logspace(0, math.log10(condition), size, dtype=torch.float64)) @ basis.T
    minimum = 0.3 + 0.4 * torch.rand(size, generator=generator, dtype=torch.float64)

    def evaluate(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        away = x.flatten() - minimum
        return 0.5 * away @ matrix @ away, (matrix @ away).view_as(x)

    return evaluate, minimum


@pytest.mark.parametrize(
    ("name", "steps", "factor"), [("lbfgs", 200, 1e-10), ("adam", 600, 1e-3), ("gradient-descent", 600, 1e-2)]
)
def test_each_reaches_a_known_minimum(name, steps, factor):
    evaluate, _ = quadratic(size=60, condition=300)
    image = torch.full((1, 3, 4, 5), 0.5, dtype=torch.float64)
    optimizer = OPTIMIZERS[name](image)
    first = float(evaluate(image)[0])
    for _ in range(steps):
        optimizer.step(*evaluate(image))
    assert float(evaluate(image)[0]) < first * factor


def dense_direction(pairs: list[tuple[torch.Tensor, torch.Tensor]], gradient: torch.Tensor) -> torch.Tensor:
    """Return -H g from the textbook recursion, H = V^T H V + rho s s^T, with full matrices."""
    size = len(gradient)
    eye = torch.eye(size, dtype=torch.float64)
    s, y = pairs[-1]
    inverse = (s @ y) / (y @ y) * eye
    for s, y in pairs:
        rho = 1 / (s @ y)
        v = eye - rho * torch.outer(y, s)
        inverse = v.T @ inverse @ v + rho * torch.outer(s, s)
    return -inverse @ gradient


@pytest.mark.parametrize("history", [1, 3, 20])
def test_every_step_of_lbfgs_equals_the_dense_recursion(history):
    """Also once old pairs have been dropped."""
    evaluate, minimum = quadratic(size=12, condition=10)
    image = minimum + 0.05
    optimizer = LBFGS(image, history=history)
    optimizer.memory.fill_(torch.nan)  # as what lies there before the first moves may be
    points, gradients = [image.clone()], [evaluate(image)[1]]
    for _ in range(11):
        optimizer.step(*evaluate(image))
        points.append(image.clone())
        gradients.append(evaluate(image)[1])
    for k in range(1, 11):
        pairs = [(points[i + 1] - points[i], gradients[i + 1] - gradients[i]) for i in range(k)][-history:]
        expected = dense_direction(pairs, gradients[k])
        assert torch.allclose(points[k + 1] - points[k], expected, rtol=1e-6, atol=1e-12), k


def test_lbfgs_ignores_pairs_of_negative_curvature():
    optimizer = LBFGS(torch.zeros(4), history=3)
    for scale in (1.0, 2.0, 3.0):  # downhill the gradient grows, as on a dome
        optimizer.step(torch.tensor(0.0), torch.full((4,), scale))
    assert optimizer.order == []


def test_no_step_of_lbfgs_is_wild():
    image = torch.zeros(100)
    optimizer = LBFGS(image, history=3)
    optimizer.step(torch.tensor(1.0), torch.ones(100))
    before = image.clone()
    # Hardly any curvature: a Newton step of miles.
    optimizer.step(torch.tensor(1.0), torch.ones(100) * 0.9999)
    assert (image - before).square().mean().sqrt() <= LONGEST_MOVE * 1.001
    cautious = torch.zeros(100)
    LBFGS(cautious, caution=0.25).step(torch.tensor(1.0), torch.ones(100))
    assert torch.allclose(cautious, before / 4)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (16, 16), (15, 22)])
def test_bands_are_symmetric_positive_and_of_mean_square_one(size):
    bands = FrequencyPreconditioner(torch.Size((1, 3, *size)), torch.device("cpu"))
    a, b = torch.randn(2, 1, 3, *size, dtype=torch.float64)
    assert float((bands(a) * b).sum()) == pytest.approx(float((a * bands(b)).sum()), rel=1e-4)
    assert float((bands(a) * a).sum()) > 0
    noise = torch.randn(1, 1, 256, 256)
    evened = FrequencyPreconditioner(noise.shape, noise.device)(noise)
    assert float(evened.square().mean()) == pytest.approx(1, rel=0.1)


def test_in_bands_smooth_errors_are_mended_in_fewer_steps():
    """Of an objective that is the flatter the lower the frequency, as a painting's is."""
    height, width = 48, 64
    frequencies = torch.hypot(torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None])
    minimum = torch.rand(1, 3, height, width)

    def evaluate(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        spectrum = torch.fft.rfft2(x - minimum) * (frequencies + 0.02)
        gradient = torch.fft.irfft2(spectrum, s=(height, width))
        return 0.5 * (gradient * (x - minimum)).sum(), gradient

    left = []
    for make in (LBFGS.preconditioned, LBFGS):
        image = torch.full_like(minimum, 0.5)
        optimizer = make(image)
        for _ in range(12):
            optimizer.step(*evaluate(image))
        left.append(float(evaluate(image)[0]))
    assert left[0] < 0.3 * left[1]
