from __future__ import annotations

import pytest

from nst import InputError
from nst.vgg.layers import LAYERS, content_weights, default_layers, parse_weights, style_weights

TO_3_4 = list(LAYERS)[:8]


def test_default_layers_are_gatys_or_the_deepest_carried():
    assert default_layers(LAYERS) == (("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"), ("relu4_2",))
    assert default_layers(TO_3_4) == (("relu1_1", "relu2_1", "relu3_1", "relu3_4"), ("relu3_3",))
    assert default_layers(["relu1_1"]) == (("relu1_1",), ("relu1_1",))


def test_automatic_and_presets_take_what_is_carried():
    assert style_weights("auto", TO_3_4) == {"relu1_1": 1, "relu2_1": 1, "relu3_1": 1, "relu3_4": 1}
    assert style_weights("gatys", TO_3_4) == {"relu1_1": 1, "relu2_1": 1, "relu3_1": 1}
    assert style_weights("crowsonkb", LAYERS)["relu1_1"] == 256
    assert content_weights("auto", TO_3_4) == {"relu3_3": 1}
    assert content_weights("relu2_1", TO_3_4) == {"relu2_1": 1}


def test_layers_are_read_with_and_without_weights():
    assert parse_weights("relu3_1:0.5, relu1_1") == {"relu3_1": 0.5, "relu1_1": 1.0}
    assert parse_weights("relu1_1:0 relu2_1:3") == {"relu2_1": 3.0}
    assert list(style_weights("relu3_1 relu1_1", LAYERS)) == ["relu1_1", "relu3_1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("relu9_1", "no layer 'relu9_1'"),
        ("relu1_1:0", "No style layer is left"),
        ("relu1_1:nan", "from 0 to 1000000"),
        ("relu1_1:1e9", "from 0 to 1000000"),
        ("relu1_1:x", "not 'x'"),
        ("x" * 10_000, "no layer 'xxxxxxxxxxxxxxxxxxxx'"),
    ],
)
def test_what_cannot_be_read_is_said(text, message):
    with pytest.raises(InputError, match=message):
        parse_weights(text)
