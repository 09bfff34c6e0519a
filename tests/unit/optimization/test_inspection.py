"""What the losses see."""

from __future__ import annotations

import numpy as np
import pytest
from makers import finished, noise

from nst import InputError, Settings
from nst.image.tensors import fit_area, resize, to_tensor
from nst.optimization.layer_views import compare, feature_maps
from nst.vgg.moments import gram_matrix

PHOTO, STYLE = noise(64, 80, seed=3), noise(64, 80, seed=4) ** 3


def test_the_style_itself_matches_and_a_painting_comes_near(encoder):
    settings = Settings(size=80, iterations=30)
    for view in compare(STYLE, STYLE, settings, encoder):
        assert view.residual == pytest.approx(0, abs=1e-6)
        assert np.allclose(view.style, view.painting)
    painting = to_tensor(finished(PHOTO, STYLE, settings, encoder=encoder).image)
    before, after = (compare(picture, STYLE, settings, encoder) for picture in (PHOTO, painting))
    assert [view.name for view in after] == ["relu1_1", "relu2_1", "relu3_1", "relu3_4"]
    for far, near in zip(before, after, strict=True):
        assert near.residual < far.residual


def test_correlations_are_numpys(encoder):
    view = compare(PHOTO, STYLE, Settings(style_layers="relu2_1:3"), encoder)[0]
    style = resize(STYLE, fit_area(80, 64, 80 * 64)).clamp(0, 1)
    gram = gram_matrix(encoder(style, ["relu2_1"])["relu2_1"]).numpy()
    order = np.argsort(-np.diag(gram), kind="stable")
    level = np.sqrt(np.diag(gram))[order]
    assert np.allclose(view.style, gram[order][:, order] / np.outer(level, level), atol=1e-5)
    assert view.weight == 3


def test_feature_maps_are_pictures(encoder):
    maps = feature_maps(PHOTO, "relu2_1", encoder)
    assert {each.shape for each in maps} == {(32, 40)}
    assert 0 <= min(each.min() for each in maps) < max(each.max() for each in maps) <= 1
    with pytest.raises(InputError, match="no layer relu5_1"):
        feature_maps(PHOTO, "relu5_1", encoder)
