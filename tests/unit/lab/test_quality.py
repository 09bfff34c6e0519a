"""The yardstick, and the recipes that it is held against."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from conftest import tiny_convolutions
from makers import noise
from PIL import Image

from nst import Settings, load_image
from nst.image.tensors import fit_area, resize, to_pixels
from nst.lab import quality, recipes
from nst.lab.quality import Painter, Yardstick, octaves
from nst.lab.recipes import RECIPES
from nst.optimization.layer_views import compare


def test_both_ways_to_the_roots_of_a_matrix_agree():
    some = torch.rand(12, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    matrix = some @ some.T + 0.01 * torch.eye(12)
    for ways in zip(recipes.roots(matrix), recipes.newton_schulz(matrix), strict=True):
        assert torch.allclose(*ways, rtol=1e-6, atol=1e-6)
    root, inverse = recipes.newton_schulz(matrix)
    assert torch.allclose(root @ root, matrix)
    assert torch.allclose(root @ inverse, torch.eye(12, dtype=torch.float64), atol=1e-6)


@pytest.fixture(scope="module")
def yardstick():
    return Yardstick(tiny_convolutions(13))


def test_octaves_tell_fine_from_coarse_and_colour_from_light():
    y, x = np.mgrid[0:64, 0:64]
    finest = torch.from_numpy((x + y) % 2).float().expand(1, 3, 64, 64)
    coarser = torch.from_numpy((x // 4 + y // 4) % 2).float().expand(1, 3, 64, 64)
    found = octaves(finest)
    assert found["luminance 1"] > 50 * found["luminance 2"]
    assert found["luminance 1"] > 1e6 * found["chroma 1"]
    assert octaves(coarser)["luminance 2"] > octaves(coarser)["luminance 1"]
    colour = torch.zeros(1, 3, 64, 64)
    colour[:, 0], colour[:, 1] = 0.7152 * finest[:, 0], 0.2126 * (1 - finest[:, 0])
    assert octaves(colour)["chroma 1"] > 50 * octaves(colour)["luminance 1"]
    assert octaves(torch.ones(1, 3, 5, 1))["luminance 1"] == 0


def test_the_style_itself_has_no_residual_and_the_photo_no_content_distance(yardstick, photo):
    scene = load_image(photo)
    style = noise(90, 90)
    height, width = scene.shape[-2:]
    look = resize(style, fit_area(style.shape[-1], style.shape[-2], width * height)).clamp(0, 1)
    as_style = yardstick.measure(to_pixels(look), scene, style, 3.0)
    as_photo = yardstick.measure(to_pixels(scene), scene, style)
    for name in ("residual", "half", "double"):
        assert getattr(as_style, name) < 0.02 * getattr(as_photo, name)
    assert as_style.grain == pytest.approx(1, abs=0.1)
    assert as_photo.content < 0.001 < as_style.content
    assert as_photo.edges < 0.001 < as_style.edges
    assert np.isnan(as_photo.face)
    assert np.isnan(as_photo.echo)
    assert as_style.seconds == 3
    black = yardstick.measure(np.zeros((height, width, 3), np.uint8), scene, style)
    assert black.clipped == 1
    assert black.grain == 0


def test_a_subject_echoes_in_its_own_picture_and_in_one_that_holds_it(yardstick):
    look, other = (resize(noise(9, 9, seed), (96, 96)).clamp(0, 1) for seed in (3, 4))
    held = other.clone()
    held[..., 16:80, 16:80] = look[..., 16:80, 16:80]
    echoes = [yardstick.echo(picture, look, (0.25, 0.25, 0.75, 0.75)) for picture in (look, held, other)]
    assert echoes[0] == pytest.approx(1, abs=1e-3)
    assert echoes[0] > echoes[1] > echoes[2]


# The classic's weights are for VGG-19's activations; tests/unit/lab/test_bench.py paints it.
@pytest.mark.full
@pytest.mark.parametrize("name", [name for name in RECIPES if name != "classic"])
def test_recipes_paint(encoder, photo, painting, name, monkeypatch):
    monkeypatch.setattr(recipes, "FIRST", 150)  # enough for a speck
    scene, style = load_image(photo), load_image(painting)
    result = RECIPES[name](encoder, scene, style, 64)
    assert result.shape == (1, 3, 43, 64)
    assert 0 <= float(result.min()) <= float(result.max()) <= 1
    before, after = (
        sum(view.residual for view in compare(picture, style, Settings(), encoder))
        for picture in (resize(scene, (64, 43)).clamp(0, 1), result)
    )
    assert after < before / 2


def test_paintings_are_kept_and_painted_again_only_for_another_recipe(tmp_path):
    scene, calls = noise(20, 30), []

    def paint(scene, style):
        calls.append(1)
        return np.full((20, 30, 3), len(calls), np.uint8)

    for recipe, expected in (("one way", 1), ("one way", 1), ("another way", 2)):
        painter = Painter("somebody", recipe, paint)
        pixels, _ = quality._painted(painter, scene, scene, tmp_path / "kept" / "a.png")
        assert (pixels == expected).all()
    assert len(calls) == 2


def test_the_command_prints_a_table_and_a_sheet(tmp_path, photo, painting, capsys):
    for file in (photo, painting):
        (tmp_path / file.stem).mkdir()
        file.rename(tmp_path / file.stem / file.name)
    sheet = tmp_path / "sheet.jpg"
    command = f"--photos {tmp_path}/photo --styles {tmp_path}/painting --sheet {sheet}".split()
    command += ["--settings", json.dumps({"size": 64, "iterations": 10}), "--by", "narrow"]
    assert quality.main(command) == 0
    *_, pair, mean = capsys.readouterr().out.splitlines()
    assert pair.split()[:3] == ["photo", "painting", "narrow"]
    assert mean.split()[:2] == ["mean", "narrow"]
    assert Image.open(sheet).size == (3 * 320, 320)
    assert quality.main([*command, "nobody"]) == 2
    assert "There is no painter nobody; known ones are narrow" in capsys.readouterr().err
