"""With the networks of the package: what is painted is what VGG-19 sees as the style."""

import numpy as np
import pytest
import torch
from conftest import ROOT
from makers import finished

from nst import Settings, load_image
from nst.image.tensors import resize, to_pixels, to_tensor
from nst.lab.quality import FACES, Yardstick
from nst.optimization.layer_views import compare
from nst.vgg.weights import find_vgg19

# Small: the yardstick looks at double the size too, which would take most of the time.
PHOTO = resize(load_image(ROOT / "examples" / "photos" / "astronaut.jpg"), (128, 128)).clamp(0, 1)
STYLE = resize(load_image(ROOT / "examples" / "styles" / "starry_night.jpg"), (256, 203)).clamp(0, 1)
FACE = FACES["astronaut"]


@pytest.fixture(scope="module")
def yardstick():
    return Yardstick(find_vgg19())


def test_the_style_comes_with_shapes_as_large_as_is_wanted_and_the_face_stays(yardstick):
    how = {"size": 128, "iterations": 30, "encoder": "narrow"}
    paintings = [finished(PHOTO, STYLE, Settings(large_shapes=wanted, **how)).image for wanted in (5, 10)]
    before, after = (
        yardstick.measure(pixels, PHOTO, STYLE, face=FACE) for pixels in (to_pixels(PHOTO), paintings[0])
    )
    assert max(before.content, before.edges) < 0.001
    assert after.residual < before.residual / 3
    assert after.deep < before.deep / 2
    assert 0.1 < after.content < 0.8
    assert after.face < after.content
    deepest = Settings(style_layers="relu5_1")
    some, more = (
        compare(to_tensor(pixels), STYLE, deepest, yardstick.encoder)[0].residual for pixels in paintings
    )
    assert some > 1.3 * more


def test_a_face_in_the_style_does_not_stand_in_the_sky(yardstick):
    rocket = load_image(ROOT / "examples" / "photos" / "rocket.jpg")
    without, wanted = (
        finished(rocket, PHOTO, Settings(size=128, iterations=40, encoder="narrow", subject=subject)).image
        for subject in (0.0, 10.0)
    )
    echoes = [yardstick.echo(to_tensor(pixels), PHOTO, FACE) for pixels in (without, wanted)]
    assert echoes[0] < 0.9 * echoes[1]


def test_a_sheet_of_colour_paints_the_photo_in_that_colour():
    blue = np.array((30, 60, 160))  # which this photo is not
    sheet = torch.from_numpy(blue).view(1, 3, 1, 1).expand(1, 3, 60, 80) / 255
    painted = finished(PHOTO, sheet, Settings(size=96, iterations=30, encoder="narrow")).image
    photo = to_pixels(resize(PHOTO, (96, 96)))
    far, near = (np.abs(pixels.mean((0, 1)) - blue).max() for pixels in (photo, painted))
    assert near < 0.7 * far
    assert painted.mean((0, 1)).argmax() == 2
    assert np.corrcoef(painted.mean(2).ravel(), photo.mean(2).ravel())[0, 1] > 0.6
