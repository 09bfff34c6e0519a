"""The text inside a saved picture."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import picture
from corpus import encoded
from PIL import Image, PngImagePlugin

from nst import InputError, Settings
from nst.image.metadata import describe_painting, settings_of
from nst.image.picture_files import PICTURES, encode_picture, encode_png

PIXELS = np.zeros((20, 20, 3), np.uint8)


def with_text(text: str) -> bytes:
    return encode_png(PIXELS, {"Settings": text})


@pytest.mark.parametrize("suffix", PICTURES)
def test_a_painting_remembers_its_settings(suffix):
    settings = Settings(style_weight=7.5, colors="luminance", seed=9, coarse_to_fine=False, time_limit=5)
    told = settings_of(encode_picture(PIXELS, suffix, describe_painting(settings.public(), "VGG-19")))
    found = Settings.acceptable(told)
    assert Settings(**found).public() == settings.public()
    assert "time_limit" not in found
    assert told["painted_with"] == "VGG-19"
    assert "steered" not in told
    steered = encode_picture(PIXELS, suffix, describe_painting(settings.public(), "VGG-19", steered=True))
    assert settings_of(steered)["steered"] is True


def test_what_is_not_known_or_not_valid_is_passed_over():
    refused = {"style_weight": 99, "seed": "x", "weights": "/etc/passwd", "new": 1, "iterations": 1e400}
    text = json.dumps({"size": 320, **refused})
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
    (tmp_path / "a.txt").write_text("no picture")
    for name in ("a.jpg", "a.png"):
        picture(30, 30).save(tmp_path / name)
        with pytest.raises(InputError, match="carries no settings"):
            settings_of(tmp_path / name)
    with pytest.raises(InputError, match="not a picture"):
        settings_of(tmp_path / "a.txt")


def test_a_bomb_of_text_is_no_settings():
    info = PngImagePlugin.PngInfo()
    info.add_text("Settings", "x" * 50_000_000, zip=True)
    with pytest.raises(InputError, match="carries no settings"):
        settings_of(encoded(Image.fromarray(PIXELS), "PNG", pnginfo=info))
