"""What each control does to the picture, alone and with the others."""

import numpy as np
import pytest
import torch
from conftest import picture
from makers import finished, noise
from PIL import Image

from nst import InputError, Settings, stylize
from nst.image.colors import luminance
from nst.image.tensors import resize, to_pixels, to_tensor
from nst.inputs import Inputs
from nst.optimization.layer_views import compare

PHOTO = resize(noise(6, 9, seed=1), (144, 96)).clamp(0, 1)
STYLES = [noise(100, 120, seed=2) ** 0.5, noise(100, 120, seed=3) ** 3]
QUICK = {"size": 144, "iterations": 16}
# A dozen steps of Adam: L-BFGS makes much of the last bit.
FEW = {"iterations": 12, "optimizer": "adam"}


@pytest.fixture
def paint(encoder):
    """Return a function that gives a painting's pixels; keywords that are no pictures are settings."""

    def pixels(styles=STYLES, photo=PHOTO, keep=None, start=None, regions=(), style_masks=(), **settings):
        pictures = {"keep": keep, "start": start, "regions": regions, "style_masks": style_masks}
        chosen = Settings(**{**QUICK, **settings})
        return finished(photo, styles, chosen, encoder=encoder, **pictures).image

    return pixels


@pytest.fixture
def residual(encoder):
    """The yardstick: mean relative Gram distance from the style."""

    def distance(pixels, style) -> float:
        views = compare(to_tensor(pixels), style, Settings(style_layers="relu1_1 relu2_1 relu3_1"), encoder)
        return sum(view.residual for view in views) / len(views)

    return distance


def apart(one, other) -> np.ndarray:
    return np.abs(one.astype(int) - other)


def mask(left: float, width: int = 144, height: int = 96) -> torch.Tensor:
    found = torch.zeros(1, 3, height, width)
    found[..., : round(width * left)] = 1
    return found


def test_a_blend_lies_between_its_styles(paint, residual):
    first, both, second = paint(STYLES[0]), paint(), paint(STYLES[1])
    assert 0 < residual(first, STYLES[0]) < residual(both, STYLES[0]) < residual(second, STYLES[0])
    assert residual(second, STYLES[1]) < residual(both, STYLES[1]) < residual(first, STYLES[1])
    four = [noise(50, 60, seed=seed) ** seed for seed in (1, 2, 3, 4)]
    assert apart(paint(four, **FEW), paint(four[:3], **FEW)).max() > 5


def test_the_strokes_follow_the_style_scale(paint):
    def roughness(pixels: np.ndarray) -> float:
        light = luminance(to_tensor(pixels))
        return float(light.diff().abs().mean() / light.std())

    y, x = np.mgrid[0:160, 0:160]
    stripes = to_tensor((127 + 120 * np.sin((x + y) / 3)).astype(np.uint8)[..., None].repeat(3, 2))
    plain = torch.full((1, 3, 128, 128), 0.5)
    only_style = {"content_weight": 0.0, "style_weight": 10.0, "smoothness": 0.0, "initial": "noise"}
    fine, middle, coarse = (
        roughness(paint(stripes, plain, style_scale=scale, size=96, iterations=30, **only_style))
        for scale in (0.5, 1.0, 2.0)
    )
    assert fine > 1.15 * middle > 1.15 * 1.15 * coarse


def test_luminance_only_keeps_the_photos_chroma(paint):
    found = to_tensor(paint(colors="luminance"))
    difference = (found - luminance(found)) - (PHOTO - luminance(PHOTO))
    assert difference.abs().max() < 1.5 / 255  # each of the four values is rounded to 8 bits at most once
    assert (luminance(found) - luminance(PHOTO)).abs().mean() > 0.02  # and it was painted


@pytest.mark.parametrize(("colors", "limit"), [("match-before", 0.7), ("match-after", 0.2)])
def test_matched_palettes_come_to_the_photos(paint, colors, limit):
    def distance(colors: str) -> float:
        pixels = paint(STYLES[1], colors=colors, content_weight=8.0)
        a, b = (image[0].flatten(1) for image in (to_tensor(pixels), PHOTO))
        return float((a.mean(1) - b.mean(1)).norm() + (torch.cov(a) - torch.cov(b)).norm() ** 0.5)

    assert distance(colors) < limit * distance("style")


def test_what_is_kept_is_kept_and_the_rest_painted_without_a_seam(paint):
    def step(pixels: np.ndarray) -> float:
        """Return how much larger the change across the edge is than between other neighbours."""
        change = np.abs(np.diff(pixels.astype(float), axis=1)).mean((0, 2))
        return change[71] / np.median(change)

    photo, steps = to_pixels(PHOTO), []
    for edge in (0.0, 8.0):
        found = paint(keep=mask(0.5), edge=edge)
        inside = 72 - round(edge / 100 * 144 / 2) - 1
        assert np.array_equal(found[:, :inside], photo[:, :inside])
        assert apart(found, photo)[:, 80:].mean() > 5
        steps.append(step(found))
    assert steps[1] < 2.5
    assert steps[1] <= steps[0] + 0.5


def test_a_region_takes_only_its_styles_statistics(paint, residual):
    found = paint(regions=[mask(0.5), 1 - mask(0.5)], edge=0.0, iterations=40)
    left, right = found[:, :64], found[:, 80:]
    assert residual(left, STYLES[0]) < 0.5 * residual(left, STYLES[1])
    assert residual(right, STYLES[1]) < 0.5 * residual(right, STYLES[0])


def test_a_style_mask_takes_the_style_from_there_alone(paint, residual):
    both = torch.cat([resize(style, (100, 100)).clamp(0, 1) for style in STYLES], 3)
    for number, style in enumerate(STYLES):
        there = torch.zeros(1, 3, 100, 200)
        there[..., 100 * number : 100 * (number + 1)] = 1
        found = paint(both, style_masks=[there])
        assert residual(found, style) < 0.5 * residual(found, STYLES[1 - number])
    # In company, and with the photo's palette, where the part's own colours are what is moved.
    alone = paint([STYLES[0], both], style_masks=[None, there], blend_1=0.0)
    assert np.array_equal(alone, found)
    moved, beside_black = (
        to_tensor(paint(style, style_masks=[there], colors="match-before")).mean((2, 3))
        for style in (both, both * there)
    )
    assert (moved - beside_black).abs().max() < 0.03


def test_a_style_mask_is_cut_as_the_border_of_its_style_is(paint):
    framed = torch.nn.functional.pad(STYLES[0], (20, 0, 0, 0), value=1.0)
    there = mask(0.5, framed.shape[-1], 100).flip(3)
    whole = paint(framed, style_masks=[there], **FEW)
    cut = paint(framed[..., 21:], style_masks=[there[..., 21:]], trim_border=False, **FEW)
    assert np.array_equal(whole, cut)
    assert not np.array_equal(whole, paint(framed, style_masks=[there], trim_border=False, **FEW))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"styles": STYLES * 2 + STYLES[:1]}, "There are 5 style pictures; 4 are the most"),
        ({"style_masks": [None, None, mask(0.5)]}, "more style masks than style"),
        ({"style_masks": [mask(0.5, 96, 96)]}, "The mask of style 1 is 96 x 96 and the style picture 120"),
        ({"style_masks": [None, torch.zeros(1, 3, 100, 120)]}, "The mask of style 2 is black"),
        ({"styles": [None]}, "There is no style picture"),
        ({"styles": [*STYLES, None]}, "A style picture is None"),
        ({"regions": [None, None, mask(0.5)]}, "more regions than style"),
        ({"regions": [None, mask(0.5, 96, 96)]}, "The region of style 2 is 96 x 96"),
        ({"initial": "picture"}, "There is no picture to start from"),
        ({"style_layers": "relu5_1"}, "no layer relu5_1; it carries"),
        ({"content_layer": "relu4_2"}, "no layer relu4_2; it carries"),
    ],
)
def test_what_does_not_go_together_is_said(paint, given, message):
    with pytest.raises(InputError, match=message):
        paint(**given)


def test_it_starts_from_a_picture_that_covers_the_canvas_with_noise_mixed_into_any(encoder, residual):
    def begun(start=None, **settings) -> torch.Tensor:
        """Return the canvas before anything is painted on it."""
        chosen = Settings(**{**QUICK, "coarse_to_fine": False, **settings})
        return to_tensor(next(stylize(PHOTO, STYLES, chosen, encoder=encoder, start=start)).image)

    own = noise(200, 100, seed=9)
    cover = resize(own, (144, 288))[..., 96:192, :].clamp(0, 1)
    assert torch.allclose(begun(own, initial="picture"), cover, atol=1 / 255)
    photo, style = begun(), begun(initial="style")
    assert torch.allclose(photo, PHOTO, atol=1 / 255)
    assert residual(to_pixels(style), STYLES[0]) < 0.2 * residual(to_pixels(photo), STYLES[0])
    random, half = begun(initial="noise"), begun(initial_noise=0.5)
    assert torch.allclose(half, (photo + random) / 2, atol=1.5 / 255)
    assert torch.equal(begun(initial_noise=1.0), random)
    assert not torch.equal(begun(initial_noise=0.5, seed=1), half)


@pytest.mark.parametrize("colors", ["luminance", "match-before", "match-after"])
def test_all_of_it_together_is_an_ordinary_run(paint, tmp_path, colors):
    strokes = np.zeros((96, 144, 4), np.uint8)  # white on nothing
    strokes[:, :29] = 255
    keep, start = tmp_path / "keep.png", tmp_path / "start.png"
    Image.fromarray(strokes).save(keep)
    picture(60, 90, seed=4).save(start)
    pictures = {"keep": keep, "regions": [None, 1 - mask(0.6)], "start": start}
    look = {"colors": colors, "blend_1": 0.5, "style_scale": 1.5, "style_layers": "crowsonkb", "size": 160}
    begin = {"initial": "picture", "initial_noise": 0.2}
    how = {"content_layer": "relu2_1", "pooling": "average", "optimizer": "adam"}
    found = paint(**pictures, **look, **begin, **how)
    assert found.shape == (107, 160, 3)
    kept = to_pixels(resize(PHOTO, (160, 107)))
    assert np.array_equal(found[:, :28], kept[:, :28])
    assert apart(found, kept)[:, 40:].mean() > 3


def test_empty_places_among_the_styles_are_closed_up_with_their_masks():
    masks = {"regions": (None, None, "where"), "style_masks": ("there",)}
    closed_up, places = Inputs("photo", ("one", None, "three"), "keep", **masks).compact()
    assert places == (0, 2)
    assert closed_up.styles == ("one", "three")
    assert closed_up.regions == (None, "where")
    assert closed_up.style_masks == ("there", None)
    assert (closed_up.photo, closed_up.keep) == ("photo", "keep")
    assert Inputs("photo", (None, "two")).compact()[0].regions == (None,)
