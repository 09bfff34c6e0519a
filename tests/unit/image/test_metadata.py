"""The text inside a saved picture."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from conftest import picture
from corpus import encoded
from PIL import Image, PngImagePlugin

from nst import InputError, Settings
from nst.image.metadata import describe_painting, settings_of
from nst.image.picture_files import PICTURES, encode_jpeg, encode_picture, encode_png

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


def test_a_painting_carries_nothing_else():
    assert Image.open(io.BytesIO(with_text("{}"))).info == {"Settings": "{}"}
    assert not {"exif", "icc_profile"} & set(Image.open(io.BytesIO(encode_jpeg(PIXELS))).info)


def test_what_is_not_known_or_not_valid_is_passed_over_and_old_words_are_understood():
    refused = {"style_weight": 99, "seed": "x", "weights": "/etc/passwd", "new": 1, "iterations": 1e400}
    text = json.dumps({"size": 320, "style_loss": "normal", **refused})
    assert Settings.acceptable(settings_of(with_text(text))) == {"size": 320, "style_loss": "gaussian"}


BOMB = PngImagePlugin.PngInfo()
BOMB.add_text("Settings", "x" * 5_000_000, zip=True)
NONE = {
    **{
        text[:9]: with_text(text) for text in ("", "nonsense", "[1, 2]", "[" * 100_000, '"size"', "{", "null")
    },
    **{kind: encoded(picture(30, 30), kind) for kind in ("JPEG", "PNG")},
    "a bomb": encoded(picture(30, 30), "PNG", pnginfo=BOMB),
}


@pytest.mark.parametrize("data", NONE.values(), ids=NONE)
def test_what_carries_no_settings_is_said(data):
    with pytest.raises(InputError, match="carries no settings"):
        settings_of(data)
