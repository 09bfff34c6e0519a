"""The yardstick, and the recipes that it is held against."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import tiny_convolutions
from makers import noise
from PIL import Image

from nst import Settings, load_image
from nst.image.tensors import fit_area, resize, to_pixels
from nst.lab import quality, recipes
from nst.lab.quality import Yardstick
from nst.lab.recipes import RECIPES
from nst.optimization.layer_views import compare


def test_the_style_itself_has_no_residual_and_the_photo_no_content_distance(photo):
    yardstick = Yardstick(tiny_convolutions(13))
    scene, style = load_image(photo), noise(90, 90)
    height, width = scene.shape[-2:]
    look = resize(style, fit_area(90, 90, width * height)).clamp(0, 1)
    as_style, as_photo = (yardstick.measure(to_pixels(each), scene, style) for each in (look, scene))
    for name in ("residual", "half", "double"):
        assert getattr(as_style, name) < 0.02 * getattr(as_photo, name)
    assert as_style.grain == pytest.approx(1, abs=0.1)
    assert as_photo.content < 0.001 < as_style.content
    assert as_photo.edges < 0.001 < as_style.edges
    black = yardstick.measure(np.zeros((height, width, 3), np.uint8), scene, style)
    assert (black.clipped, black.grain) == (1, 0)
    echoes = [yardstick.echo(each, style, (0.25, 0.25, 0.75, 0.75)) for each in (style, noise(90, 90, 1))]
    assert echoes[0] == pytest.approx(1, abs=1e-3)
    assert echoes[0] > echoes[1]


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


def test_the_command_prints_a_table_and_a_sheet_and_paints_again_only_by_another_recipe(
    tmp_path, photo, painting, capsys
):
    for file in (photo, painting):
        (tmp_path / file.stem).mkdir()
        file.rename(tmp_path / file.stem / file.name)
    sheet, kept = tmp_path / "sheet.jpg", tmp_path / "kept" / "photo-painting-narrow.png"
    command = f"--photos {tmp_path}/photo --styles {tmp_path}/painting --sheet {sheet}"
    command = [*command.split(), "--keep", str(kept.parent), "--settings"]
    written = []
    for settings in (
        {"size": 64, "iterations": 10},
        {"size": 64, "iterations": 10},
        {"size": 64, "iterations": 11},
    ):
        assert quality.main([*command, json.dumps(settings)]) == 0
        written.append(kept.stat().st_mtime_ns)
    assert written[0] == written[1] < written[2]
    *_, pair, mean = capsys.readouterr().out.splitlines()
    assert pair.split()[:3] == ["photo", "painting", "narrow"]
    assert mean.split()[:2] == ["mean", "narrow"]
    assert Image.open(sheet).size == (3 * 320, 320)
    assert quality.main([*command, "{}", "--by", "nobody"]) == 2
    assert "There is no painter nobody; known ones are narrow" in capsys.readouterr().err
