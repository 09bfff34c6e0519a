"""What each control does to the picture, alone and with the others."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from conftest import ROOT, picture, tiny_convolutions
from PIL import Image

from nst import InputError, Settings, stylize
from nst.image.colors import luminance
from nst.image.tensors import fit_area, resize
from nst.optimization.loss_terms import relative_error
from nst.optimization.subject import manner
from nst.vgg.encoder import Encoder
from nst.vgg.moments import moments

PHOTO = torch.rand(1, 3, 6, 9, generator=torch.Generator().manual_seed(1))
PHOTO = resize(PHOTO, (144, 96)).clamp(0, 1)
STYLES = [
    torch.rand(1, 3, 100, 120, generator=torch.Generator().manual_seed(seed)) ** power
    for seed, power in ((2, 0.5), (3, 3.0))
]
QUICK = {"size": 144, "iterations": 16}


@pytest.fixture(scope="module")
def eye() -> Encoder:
    return Encoder(tiny_convolutions(), name="tiny")


def paint(eye, styles=STYLES, photo=PHOTO, more=None, **settings) -> np.ndarray:
    chosen = Settings(**{**QUICK, **settings})
    *_, frame = stylize(photo, styles, chosen, encoder=eye, **(more or {}))
    assert frame.final
    return frame.image


def tensor(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


def residual(eye, pixels, style) -> float:
    """The yardstick: mean relative Gram distance from the style."""
    image = tensor(pixels)
    style = resize(style, fit_area(style.shape[-1], style.shape[-2], image[0, 0].numel())).clamp(0, 1)
    names = ("relu1_1", "relu2_1", "relu3_1")
    a, b = eye(image, names), eye(style, names)
    return sum(float(relative_error(moments(a[n]).gram, moments(b[n]).gram)) for n in names) / len(names)


def mask(left: float, width: int = 144, height: int = 96) -> torch.Tensor:
    found = torch.zeros(1, 3, height, width)
    found[..., : round(width * left)] = 1
    return found


def test_a_share_of_0_is_as_if_the_style_were_not_there(eye):
    alone = paint(eye, STYLES[0])
    assert np.array_equal(paint(eye, blend_2=0.0), alone)
    assert np.array_equal(paint(eye, STYLES[::-1], blend_1=0.0), alone)
    # Only the proportions count.
    assert np.array_equal(paint(eye, blend_1=0.2, blend_2=0.2), paint(eye))


def test_a_blend_lies_between_its_styles(eye):
    first, both, second = paint(eye, STYLES[0]), paint(eye), paint(eye, STYLES[1])
    for style, order in ((STYLES[0], (first, both, second)), (STYLES[1], (second, both, first))):
        near, middle, far = (residual(eye, pixels, style) for pixels in order)
        assert near < middle < far


def test_four_styles_are_the_most_and_all_shares_0_is_said(eye):
    with pytest.raises(InputError, match="There are 5 style pictures; 4 are the most"):
        paint(eye, STYLES * 2 + STYLES[:1])
    paint(eye, STYLES * 2, iterations=10)
    with pytest.raises(InputError, match="Every style has the share 0"):
        paint(eye, blend_1=0.0, blend_2=0.0)


def frequency(pixels: np.ndarray) -> float:
    """Return the mean frequency of a picture's luminance, weighted with its energy, in cycles a pixel."""
    light = luminance(tensor(pixels))[0, 0]
    energy = torch.fft.rfft2(light - light.mean()).abs().square()
    y = torch.fft.fftfreq(light.shape[0])[:, None]
    x = torch.fft.rfftfreq(light.shape[1])[None]
    return float((energy * (x**2 + y**2).sqrt()).sum() / energy.sum())


def test_the_strokes_follow_the_style_scale(eye):
    y, x = np.mgrid[0:160, 0:160]
    stripes = tensor((127 + 120 * np.sin((x + y) / 3)).astype(np.uint8)[..., None].repeat(3, 2))
    plain = torch.full((1, 3, 128, 128), 0.5)
    found = [
        frequency(
            paint(
                eye,
                stripes,
                plain,
                style_scale=scale,
                size=128,
                iterations=60,
                initial="noise",
                content_weight=0.0,
                style_weight=10.0,
                smoothness=0.0,
            )
        )
        for scale in (0.5, 1.0, 2.0)
    ]
    assert found[0] > 1.15 * found[1] > 1.15 * 1.15 * found[2]


def test_luminance_only_keeps_the_photos_chroma(eye):
    found = tensor(paint(eye, colors="luminance"))
    photo = resize(PHOTO, (144, 96)).clamp(0, 1)
    difference = (found - luminance(found)) - (photo - luminance(photo))
    assert difference.abs().max() < 1.5 / 255  # each of the four values is rounded to 8 bits at most once
    assert (luminance(found) - luminance(photo)).abs().mean() > 0.02  # and it was painted


@pytest.mark.parametrize("colors", ["match-before", "match-after"])
def test_matched_palettes_come_to_the_photos(eye, colors):
    def distance(pixels: np.ndarray) -> float:
        a, b = (image[0].flatten(1) for image in (tensor(pixels), PHOTO))
        return float((a.mean(1) - b.mean(1)).norm() + (torch.cov(a) - torch.cov(b)).norm() ** 0.5)

    limit = {"match-before": 0.7, "match-after": 0.2}[colors]
    near = {"content_weight": 8.0}
    assert distance(paint(eye, STYLES[1], colors=colors, **near)) < limit * distance(
        paint(eye, STYLES[1], **near)
    )


def test_what_is_kept_is_kept_and_the_rest_painted(eye):
    for edge in (0.0, 6.0):
        found = paint(eye, more={"keep": mask(0.5)}, edge=edge)
        photo = (resize(PHOTO, (144, 96)).clamp(0, 1) * 255).round()[0].permute(1, 2, 0).numpy()
        inside = 72 - round(edge / 100 * 144 / 2) - 1
        assert np.array_equal(found[:, :inside], photo[:, :inside])
        assert np.abs(found[:, 80:] - photo[:, 80:]).mean() > 5


def test_a_soft_edge_leaves_no_seam(eye):
    def step(pixels: np.ndarray) -> float:
        """Return how much larger the change across the edge is than between other neighbours."""
        change = np.abs(np.diff(pixels.astype(float), axis=1)).mean((0, 2))
        return change[71] / np.median(change)

    hard = paint(eye, more={"keep": mask(0.5)}, edge=0.0)
    soft = paint(eye, more={"keep": mask(0.5)}, edge=8.0)
    assert step(soft) < 2.5
    assert step(soft) <= step(hard) + 0.5


def test_a_region_takes_only_its_styles_statistics(eye):
    found = paint(eye, more={"regions": [mask(0.5), 1 - mask(0.5)]}, edge=0.0, iterations=80)
    left, right = found[:, :64], found[:, 80:]
    assert residual(eye, left, STYLES[0]) < 0.5 * residual(eye, left, STYLES[1])
    assert residual(eye, right, STYLES[1]) < 0.5 * residual(eye, right, STYLES[0])


def test_one_region_leaves_the_rest_to_the_other_style(eye):
    # A dozen steps of Adam: L-BFGS makes much of the last bit.
    few = {"iterations": 12, "optimizer": "adam", "edge": 0.0}
    both = paint(eye, more={"regions": [mask(0.5), 1 - mask(0.5)]}, **few)
    one = paint(eye, more={"regions": [None, 1 - mask(0.5)]}, **few)
    assert np.abs(both.astype(int) - one).max() <= 2
    assert np.abs(both.astype(int) - paint(eye, **few)).max() > 20


def test_a_style_mask_takes_the_style_from_there_alone(eye):
    both = torch.cat([resize(style, (100, 100)).clamp(0, 1) for style in STYLES], 3)
    for number, style in enumerate(STYLES):
        there = torch.zeros(1, 3, 100, 200)
        there[..., 100 * number : 100 * (number + 1)] = 1
        found = paint(eye, both, more={"style_masks": [there]}, iterations=40)
        assert residual(eye, found, style) < 0.5 * residual(eye, found, STYLES[1 - number])
    # In company, and with the photo's palette, where the part's own colours are what is moved.
    alone = paint(eye, [STYLES[0], both], more={"style_masks": [None, there]}, blend_1=0.0, iterations=40)
    assert np.array_equal(alone, found)
    moved = paint(eye, both, more={"style_masks": [there]}, colors="match-before", iterations=40)
    assert np.abs(tensor(moved).mean((0, 2, 3)) - PHOTO.mean((0, 2, 3))).max() < 0.15


def test_a_style_mask_is_cut_as_the_border_of_its_style_is(eye):
    framed = torch.nn.functional.pad(STYLES[0], (20, 0, 0, 0), value=1.0)
    width = framed.shape[-1]
    there = torch.zeros(1, 3, 100, width)
    there[..., width // 2 :] = 1
    few = {"iterations": 12, "optimizer": "adam"}
    whole = paint(eye, framed, more={"style_masks": [there]}, **few)
    assert np.array_equal(
        whole, paint(eye, framed[..., 21:], more={"style_masks": [there[..., 21:]]}, trim_border=False, **few)
    )


def test_what_stands_alone_in_a_style_is_left_out_unless_it_is_wanted():
    layers = torch.zeros(1, 8, 24, 24)
    layers[:, :4] = 0.2 * torch.rand(1, 4, 24, 24, generator=torch.Generator().manual_seed(1))
    face, stars = layers.clone(), layers.clone()
    face[:, 4:6, 8:13, 8:13] = 1
    for y in range(1, 24, 3):
        for x in range(1, 24, 3):
            stars[:, 6, y : y + 2, x : x + 2] = 1
    alone, many = manner(face, 0.0), manner(stars, 0.0)
    assert alone.shape == (1, 1, 24, 24)
    assert 0 <= float(alone.min()) < float(alone.max()) <= 1
    # What is as bright but recurs counts about as much as the usual position, the face not at all.
    assert float(alone[..., 9:12, 9:12].max()) < 0.001 * float(alone.mean())
    assert float(many[..., 10:12, 10:12].mean()) > 0.2 * float(many.mean())
    assert torch.equal(manner(face, 10.0), torch.ones(1, 1, 24, 24))
    halfway = manner(face, 5.0)
    assert torch.allclose(halfway, (1 + alone) / 2)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (24, 18), (128, 96)])
def test_any_features_have_a_manner(size):
    for features in (torch.zeros(1, 4, *size), torch.ones(1, 4, *size), torch.rand(1, 4, *size)):
        for part in (None, torch.zeros(1, 1, *size), torch.ones(1, 1, *size)):
            found = manner(features, 0.0, part)
            assert found.shape == (1, 1, *size)
            assert torch.isfinite(found).all()
            assert 0 <= float(found.min()) <= float(found.max()) <= 1


def test_bad_masks_are_said(eye):
    with pytest.raises(InputError, match="more style masks than style"):
        paint(eye, STYLES[0], more={"style_masks": [None, mask(0.5)]})
    with pytest.raises(InputError, match=r"The mask of style 1 is 96 x 96 and the style picture 120 x 100"):
        paint(eye, STYLES[0], more={"style_masks": [mask(0.5, 96, 96)]})
    with pytest.raises(InputError, match="The mask of style 2 is black"):
        paint(eye, more={"style_masks": [None, torch.zeros(1, 3, 100, 120)]})
    with pytest.raises(InputError, match="more regions than style"):
        paint(eye, STYLES[0], more={"regions": [None, mask(0.5)]})
    with pytest.raises(InputError, match=r"The region of style 2 is 96 x 96"):
        paint(eye, more={"regions": [None, mask(0.5, 96, 96)]})
    with pytest.raises(InputError, match=r"The mask of what to keep is 96 x 96"):
        paint(eye, more={"keep": mask(0.5, 96, 96)})
    with pytest.raises(InputError, match="leave nothing to paint"):
        paint(eye, more={"keep": mask(1.0)})


def test_a_mask_file_is_white_strokes_on_nothing(eye, tmp_path):
    strokes = np.zeros((96, 144, 4), np.uint8)
    strokes[:, :72] = 255
    Image.fromarray(strokes).save(tmp_path / "mask.png")
    assert np.array_equal(
        paint(eye, more={"keep": tmp_path / "mask.png"}), paint(eye, more={"keep": mask(0.5)})
    )


def first(eye, more=None, **settings) -> torch.Tensor:
    chosen = Settings(**{**QUICK, "coarse_to_fine": False, **settings})
    return tensor(next(stylize(PHOTO, STYLES, chosen, encoder=eye, **(more or {}))).image)


def test_it_starts_from_what_was_chosen(eye):
    own = torch.rand(1, 3, 200, 100, generator=torch.Generator().manual_seed(9))
    begun = first(eye, {"start": own}, initial="picture")
    cover = resize(own, (144, 288))[..., 96:192, :].clamp(0, 1)
    assert torch.allclose(begun, cover, atol=1 / 255)
    with pytest.raises(InputError, match="There is no picture to start from"):
        first(eye, initial="picture")


def test_noise_is_mixed_into_any_start(eye):
    photo, noise = first(eye), first(eye, initial="noise")
    half = first(eye, initial_noise=0.5)
    assert torch.allclose(half, (photo + noise) / 2, atol=1.5 / 255)
    assert torch.equal(first(eye, initial_noise=1.0), noise)
    assert not torch.equal(first(eye, initial_noise=0.5, seed=1), half)


def test_layers_are_those_asked_for(eye):
    low, deep = paint(eye, STYLES[0], style_layers="relu1_1"), paint(eye, STYLES[0], style_layers="relu3_1")

    def distance(pixels: np.ndarray, name: str) -> float:
        style = resize(STYLES[0], fit_area(120, 100, 144 * 96)).clamp(0, 1)
        grams = [moments(eye(image, [name])[name]).gram for image in (tensor(pixels), style)]
        return float(relative_error(*grams))

    assert distance(low, "relu1_1") < distance(deep, "relu1_1")
    assert distance(deep, "relu3_1") < distance(low, "relu3_1")
    with pytest.raises(InputError, match="no layer relu5_1; it carries"):
        paint(eye, style_layers="relu5_1")
    with pytest.raises(InputError, match="no layer relu4_2; it carries"):
        paint(eye, content_layer="relu4_2")


def test_all_of_it_together_is_an_ordinary_run(eye, tmp_path):
    picture(60, 90, seed=4).save(tmp_path / "start.png")
    for colors in ("luminance", "match-before", "match-after"):
        found = paint(
            eye,
            more={
                "keep": mask(0.2),
                "regions": [None, 1 - mask(0.6)],
                "start": tmp_path / "start.png",
            },
            colors=colors,
            blend_1=0.5,
            style_scale=1.5,
            initial="picture",
            initial_noise=0.2,
            style_layers="crowsonkb",
            content_layer="relu2_1",
            pooling="average",
            optimizer="adam",
            size=160,
        )
        assert found.shape == (107, 160, 3)
        kept = (resize(PHOTO, (160, 107)).clamp(0, 1) * 255).round()[0].permute(1, 2, 0).numpy()
        assert np.array_equal(found[:, :28], kept[:, :28])
        assert np.abs(found[:, 40:] - kept[:, 40:]).mean() > 3


def test_large_is_the_same_painting_finer():
    found = []
    for size in (64, 256):
        chosen = Settings(size=size, iterations=40, encoder="builtin")
        folder = ROOT / "examples"
        *_, frame = stylize(
            folder / "photos" / "chelsea.jpg", folder / "styles" / "stained_glass.jpg", chosen
        )
        found.append(frame.image)
    assert found[1].shape == (170, 256, 3)
    light = torch.stack([luminance(resize(tensor(pixels), (24, 16))).flatten() for pixels in found])
    assert float(torch.corrcoef(light)[0, 1]) > 0.6
    # The strokes have grown with the canvas: per pixel there is less detail.
    assert frequency(found[1]) < 0.7 * frequency(found[0])


def test_masks_that_change_nothing_change_nothing(eye):
    few = {"iterations": 12, "optimizer": "adam"}
    white = torch.ones(1, 3, 96, 144)
    masked = paint(eye, STYLES[0], more={"regions": [white], "keep": 0 * white}, **few)
    assert np.abs(paint(eye, STYLES[0], **few).astype(int) - masked).max() <= 2
