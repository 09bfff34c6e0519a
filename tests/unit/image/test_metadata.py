"""The text inside a saved picture."""

import io
import json

import numpy as np
import pytest
from pictures import encoded, picture
from PIL import Image, PngImagePlugin

from nst import InputError, Settings
from nst.image.metadata import describe_painting, settings_of
from nst.image.picture_files import PICTURES, encode_jpeg, encode_picture, encode_png

PIXELS = np.zeros((20, 20, 3), np.uint8)
BOMB = PngImagePlugin.PngInfo()
BOMB.add_text("Settings", "x" * 5_000_000, zip=True)


def with_text(text: str) -> bytes:
    return encode_png(PIXELS, {"Settings": text})


@pytest.mark.parametrize("suffix", PICTURES)
def test_a_painting_remembers_its_settings(suffix):
    settings = Settings(style_weight=7.5, colors="luminance", seed=9, coarse_to_fine=False, time_limit=5)
    for steered in ({}, {"steered": True}):
        text = describe_painting(settings.public(), "VGG-19", **steered)
        found = settings_of(encode_picture(PIXELS, suffix, text))
        assert Settings(**Settings.acceptable(found)).public() == settings.public()
        beside = {name: value for name, value in found.items() if name not in settings.public()}
        assert beside == {"painted_with": "VGG-19", **steered}
    assert "time_limit" not in found


def test_a_painting_carries_nothing_else():
    assert Image.open(io.BytesIO(with_text("{}"))).info == {"Settings": "{}"}
    assert not {"exif", "icc_profile"} & set(Image.open(io.BytesIO(encode_jpeg(PIXELS))).info)


def test_what_is_not_known_or_not_valid_is_passed_over_and_old_words_are_understood():
    refused = {"style_weight": 99, "seed": "x", "weights": "/etc/passwd", "new": 1, "iterations": 1e400}
    text = json.dumps({"size": 320, "style_loss": "normal", **refused})
    assert Settings.acceptable(settings_of(with_text(text))) == {"size": 320, "style_loss": "gaussian"}


@pytest.mark.parametrize(
    "data",
    [*map(with_text, ("", "{", "[1, 2]", "[" * 100_000)), encoded(picture(30, 30), "PNG", pnginfo=BOMB)],
    ids=["nothing", "no JSON", "a list", "many lists", "a bomb"],
)
def test_what_carries_no_settings_is_said(data):
    with pytest.raises(InputError, match="carries no settings"):
        settings_of(data)
