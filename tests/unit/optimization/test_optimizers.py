import pytest
import torch

from nst.optimization.optimizers import LBFGS, LONGEST_MOVE


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
    basis, _ = torch.linalg.qr(torch.randn(12, 12, dtype=torch.float64))
    matrix = (basis * torch.logspace(0, 1, 12, dtype=torch.float64)) @ basis.T
    minimum = torch.rand(12, dtype=torch.float64)

    def evaluate(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return 0.5 * (x - minimum) @ matrix @ (x - minimum), matrix @ (x - minimum)

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


def test_no_step_of_lbfgs_is_wild_nor_learnt_from_where_the_curvature_is_negative():
    dome = LBFGS(torch.zeros(4), history=3)
    for scale in (1.0, 2.0, 3.0):  # downhill the gradient grows
        dome.step(torch.tensor(0.0), torch.full((4,), scale))
    assert dome.order == []
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
