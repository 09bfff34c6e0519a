"""Comparisons of paintings, and the recipes that ours are held against."""

import json

import pytest
from PIL import Image

from nst import Settings, load_image
from nst.image.tensors import resize
from nst.lab import quality, recipes
from nst.lab.recipes import RECIPES
from nst.optimization.layer_views import compare


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


def test_a_pair_is_compared_and_painted_again_only_by_other_settings(tmp_path, photo, painting, capsys):
    for file in (photo, painting):
        (tmp_path / file.stem).mkdir()
        file.rename(tmp_path / file.stem / file.name)
    sheet, kept = tmp_path / "sheet.jpg", tmp_path / "kept" / "photo-painting-narrow.png"
    command = f"--photos {tmp_path}/photo --styles {tmp_path}/painting --sheet {sheet}"
    command = [*command.split(), "--keep", str(kept.parent), "--settings"]
    written = []
    for iterations in (10, 10, 11):
        assert quality.main([*command, json.dumps({"size": 64, "iterations": iterations})]) == 0
        written.append(kept.stat().st_mtime_ns)
    assert written[0] == written[1] < written[2]
    *_, pair, mean = capsys.readouterr().out.splitlines()
    assert pair.split()[:3] == ["photo", "painting", "narrow"]
    assert mean.split()[:2] == ["mean", "narrow"]
    assert Image.open(sheet).size == (3 * 320, 320)
    assert quality.main([*command, "{}", "--by", "nobody"]) == 2
    assert "There is no painter nobody; known ones are narrow" in capsys.readouterr().err
