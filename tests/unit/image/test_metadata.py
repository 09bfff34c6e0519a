"""The text inside a saved picture."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from conftest import picture
from PIL import Image, PngImagePlugin

from nst import InputError, Settings
from nst.image.metadata import describe_painting, settings_of
from nst.image.picture_files import encode_png

PIXELS = np.zeros((20, 20, 3), np.uint8)


def with_text(text: str) -> bytes:
    return encode_png(PIXELS, {"Settings": text})


def test_a_painting_remembers_its_settings():
    settings = Settings(style_weight=7.5, colors="luminance", seed=9, coarse_to_fine=False, time_limit=5)
    data = encode_png(PIXELS, describe_painting(settings.public(), "VGG-19"))
    found = Settings.acceptable(settings_of(data))
    assert Settings(**found).public() == settings.public()
    assert "time_limit" not in found
    told = json.loads(Image.open(io.BytesIO(data)).text["Settings"])
    assert told["painted_with"] == "VGG-19"
    assert "steered" not in told
    steered = encode_png(PIXELS, describe_painting(settings.public(), "VGG-19", steered=True))
    assert json.loads(Image.open(io.BytesIO(steered)).text["Settings"])["steered"] is True


def test_what_is_not_known_or_not_valid_is_passed_over():
    text = json.dumps(
        {
            "size": 320,
            "style_weight": 99,
            "seed": "x",
            "weights": "/etc/passwd",
            "new": 1,
            "iterations": 1e400,
        }
    )
    assert Settings.acceptable(settings_of(with_text(text))) == {"size": 320}


def test_a_picture_of_an_earlier_version_restores_its_settings():
    old = settings_of(with_text('{"style_loss": "normal", "size": 320}'))
    assert Settings.acceptable(old) == {"style_loss": "gaussian", "size": 320}


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[1, 2]", "[" * 100_000, '"size"', "{", "null"], ids=lambda text: text[:10]
)
def test_text_that_is_no_settings_is_said(text):
    with pytest.raises(InputError, match="carries no settings"):
        settings_of(with_text(text))


def test_other_pictures_carry_none(tmp_path):
    picture(30, 30).save(tmp_path / "a.jpg")
    picture(30, 30).save(tmp_path / "a.png")
    (tmp_path / "a.txt").write_text("no picture")
    for name in ("a.jpg", "a.png"):
        with pytest.raises(InputError, match="carries no settings"):
            settings_of(tmp_path / name)
    with pytest.raises(InputError, match="not a picture"):
        settings_of(tmp_path / "a.txt")


def test_a_bomb_of_text_is_no_settings():
    info = PngImagePlugin.PngInfo()
    info.add_text("Settings", "x" * 50_000_000, zip=True)
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "PNG", pnginfo=info)
    with pytest.raises(InputError):
        settings_of(buffer.getvalue())
