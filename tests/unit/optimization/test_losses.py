"""Each term against the papers' formulas, written out in numpy float64."""

import numpy as np
import pytest
import torch

from nst.optimization.loss_terms import (
    ContentTarget,
    GaussianTarget,
    GramTarget,
    StyleTarget,
    prominence,
    total_variation,
)
from nst.vgg.moments import Moments, gram_matrix, moments, moments_through

RANDOM = np.random.default_rng(7)
P = RANDOM.random((5, 6, 4))  # channels, height, width
F = RANDOM.random((5, 6, 4))


def tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values)[None]


def apart(target: StyleTarget, features: torch.Tensor) -> torch.Tensor:
    """Return how far features are from a style's target."""
    return target.distance(moments_through(features, None, target.projection))


def paper_gram(features: np.ndarray) -> np.ndarray:
    """Equation 3: G_ij = sum_k F_ik F_jk."""
    return np.einsum("ihw,jhw->ij", features, features)


def test_gram_matrix_and_moments_are_those_of_the_definitions():
    flat, counts = F.reshape(5, -1), P[0].flatten()
    assert np.allclose(gram_matrix(tensor(F)), paper_gram(F) / 24)
    for weights, mask in ((None, None), (counts, tensor(P[:1]))):
        found = moments(tensor(F), mask)
        assert np.allclose(found.mean, np.average(flat, 1, weights))
        assert np.allclose(found.covariance, np.cov(flat, bias=True, aweights=weights))
    # Whatever comes in, it is summed in float32: this sum overflows float16 at once.
    assert torch.isfinite(gram_matrix(torch.full((1, 2, 300, 300), 300.0, dtype=torch.float16))).all()


def test_content_term_is_equation_1_over_the_energies_of_photo_and_style():
    style, other = 3 * RANDOM.random((5, 2, 9)), RANDOM.random((5, 3, 3))
    paper = 0.5 * ((F - P) ** 2).sum()
    energy = np.sqrt((P**2).mean() * ((style**2).mean() + (other**2).mean()) / 2)
    ours = float(ContentTarget(tensor(P), [tensor(style), tensor(other)]).distance(tensor(F)))
    assert ours == pytest.approx(paper * 2 / P.size / energy, rel=1e-12)


def test_style_term_is_equation_4_over_the_styles_energy():
    n, m = 5, 24
    paper = ((paper_gram(F) - paper_gram(P)) ** 2).sum() / (4 * n**2 * m**2)
    ours = float(apart(GramTarget(moments(tensor(P))), tensor(F)))
    assert ours == pytest.approx(paper * 4 * n**2 * m**2 / (paper_gram(P) ** 2).sum(), rel=1e-12)


def test_total_variation_by_hand():
    image = RANDOM.random((3, 5, 7))
    right = ((image[:, :, 1:] - image[:, :, :-1]) ** 2).mean()
    down = ((image[:, 1:, :] - image[:, :-1, :]) ** 2).mean()
    falling = ((image[:, 1:, 1:] - image[:, :-1, :-1]) ** 2).mean()
    rising = ((image[:, :-1, 1:] - image[:, 1:, :-1]) ** 2).mean()
    assert float(total_variation(tensor(image))) == pytest.approx((right + down + (falling + rising) / 2) / 3)


def wasserstein(a: Moments, b: Moments) -> float:
    """|m - m*|^2 + tr(C + C* - 2 (C*^1/2 C C*^1/2)^1/2), with roots from numpy."""

    def root(matrix: np.ndarray) -> np.ndarray:
        values, basis = np.linalg.eigh(matrix)
        return (basis * np.sqrt(np.maximum(values, 0))) @ basis.T

    c, d = a.covariance.numpy(), b.covariance.numpy()
    cross = root(root(d) @ c @ root(d))
    return float(((a.mean - b.mean) ** 2).sum()) + float(np.trace(c + d - 2 * cross))


def test_gaussian_distance_is_wasserstein_2_near_the_target():
    energy = (P**2).sum(0).mean()
    for share, tolerance in ((0.1, 0.2), (0.01, 0.02), (0.001, 0.002)):
        near = (1 - share) * P + share * F
        ours = float(apart(GaussianTarget(moments(tensor(P)), floor=0.0), tensor(near))) * energy
        assert ours == pytest.approx(wasserstein(moments(tensor(near)), moments(tensor(P))), rel=tolerance)


@pytest.mark.parametrize("rows", [6, 1])  # times the Gram matrix of many positions, or times few positions
@pytest.mark.parametrize("target", [GaussianTarget, GramTarget])
def test_a_matrix_given_to_the_target_is_one_before_the_features(target, rows):
    matrix = torch.from_numpy(RANDOM.standard_normal((7, 5)))
    style, seen = (torch.einsum("kc,nchw->nkhw", matrix, tensor(each[:, :rows])) for each in (P, F))
    compared = target(moments(style), matrix=matrix)
    expected = float(apart(target(moments(style)), seen))
    assert float(apart(compared, tensor(F[:, :rows]))) == pytest.approx(expected, rel=1e-9)
    assert torch.autograd.gradcheck(lambda x: apart(compared, x), tensor(F[:, :rows]).requires_grad_())


def test_gradients():
    goal = tensor(P)
    for function in (
        ContentTarget(goal, [goal]).distance,
        ContentTarget(goal, [goal], weights=prominence(goal, 1.0)[..., ::2, ::2]).distance,
        total_variation,
        lambda x: moments(x, goal[:, :1]),
    ):
        assert torch.autograd.gradcheck(function, tensor(F).requires_grad_())
