from __future__ import annotations

import json
import math

import pytest

from nst import InputError, Settings
from nst.settings import KNOBS


def test_every_knob_has_a_valid_default_a_label_and_a_line_of_help():
    for knob in KNOBS.values():
        assert knob.check(knob.default) == knob.default
        assert knob.label
        assert knob.help.endswith(".")
        assert "\n" not in knob.help


@pytest.mark.parametrize("name", [name for name, knob in KNOBS.items() if knob.kind in (int, float)])
def test_a_number_takes_both_ends_and_nothing_beyond_nor_of_another_kind(name):
    knob = KNOBS[name]
    for end in (knob.low, knob.high):
        assert getattr(Settings(**{name: end}), name) == end
    beyond = [knob.low - 1, knob.high + 1, math.inf, -math.inf, 10**400, -(10**5000)]
    for value in (*beyond, math.nan, True, False, "5", None, [1]):
        with pytest.raises(InputError) as caught:
            Settings(**{name: value})
        for part in (name, f"{knob.low:g}", f"{knob.high:g}"):
            assert part in str(caught.value)


def test_whole_numbers_may_come_as_floats_but_not_as_fractions():
    settings = Settings(iterations=100.0)
    assert settings.iterations == 100
    assert type(settings.iterations) is int
    with pytest.raises(InputError, match="whole number"):
        Settings(iterations=100.5)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        *(("coarse_to_fine", value, "coarse_to_fine") for value in (1, 0, "true", None)),
        ("optimizer", "sgd", "lbfgs, adam, gradient-descent"),
        ("optimizer", 3, "text"),
        ("style_loss", "Normal", "gaussian, gram, not"),
        ("style_layers", "relu7_1", "no layer 'relu7_1'"),
        ("content_layer", "conv", "no layer 'conv'"),
    ],
)
def test_switches_choices_and_texts_refuse_what_they_are_not(name, value, message):
    with pytest.raises(InputError, match=message):
        Settings(**{name: value})


def test_a_value_of_an_earlier_version_is_still_known():
    assert Settings(style_loss="normal") == Settings(style_loss="gaussian")
    assert Settings.from_json('{"style_loss": "normal"}').public()["style_loss"] == "gaussian"


def test_json_round_trip():
    settings = Settings(content_weight=2.5, size=320, initial="noise", coarse_to_fine=False, seed=2**32 - 1)
    assert Settings.from_json(settings.to_json()) == settings
    assert Settings.from_json("{}") == Settings()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "valid JSON"),
        ("[1]", "JSON object"),
        ("[" * 100_000, "valid JSON"),
        ('{"stile_weight": 3}', "did you mean style_weight"),
        ('{"zzz": 3}', "known ones are"),
        ('{"size": NaN}', "size"),
        ('{"size": 1e999}', "size"),
    ],
)
def test_bad_json_gets_one_sentence(text, part):
    with pytest.raises(InputError, match=part) as caught:
        Settings.from_json(text)
    assert str(caught.value)[-1] in ".?"


def test_what_is_public_names_nothing_of_the_host():
    public = Settings(weights="/somewhere/secret.pth", time_limit=5.0).public()
    assert "secret" not in json.dumps(public)
    assert set(public) == {name for name, knob in KNOBS.items() if not knob.local}
