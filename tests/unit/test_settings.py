from __future__ import annotations

import dataclasses
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
        if knob.kind in (int, float):
            assert knob.low < knob.high


NUMBERS = [name for name, knob in KNOBS.items() if knob.kind in (int, float)]


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, True, False, "5", None, [1], 10**400, -(10**5000)],
    ids=lambda v: type(v).__name__,
)
def test_a_number_refuses_what_is_no_finite_number_in_range(name, value):
    with pytest.raises(InputError) as caught:
        Settings(**{name: value})
    message = str(caught.value)
    assert name in message
    assert f"{KNOBS[name].low:g}" in message
    assert f"{KNOBS[name].high:g}" in message


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_takes_both_ends_and_nothing_beyond(name):
    knob = KNOBS[name]
    assert getattr(Settings(**{name: knob.low}), name) == knob.low
    assert getattr(Settings(**{name: knob.high}), name) == knob.high
    for beyond in (knob.low - 1, knob.high + 1):
        with pytest.raises(InputError, match=name):
            Settings(**{name: beyond})


def test_whole_numbers_may_come_as_floats_but_not_as_fractions():
    settings = Settings(iterations=100.0)
    assert settings.iterations == 100
    assert type(settings.iterations) is int
    with pytest.raises(InputError, match="whole number"):
        Settings(iterations=100.5)


def test_switches_and_choices():
    assert Settings(coarse_to_fine=False).coarse_to_fine is False
    for value in (1, 0, "true", None):
        with pytest.raises(InputError, match="coarse_to_fine"):
            Settings(coarse_to_fine=value)
    with pytest.raises(InputError, match="lbfgs, adam, gradient-descent"):
        Settings(optimizer="sgd")
    with pytest.raises(InputError, match="text"):
        Settings(optimizer=3)
    with pytest.raises(InputError, match="no layer 'relu7_1'"):
        Settings(style_layers="relu7_1")
    with pytest.raises(InputError, match="no layer 'conv'"):
        Settings(content_layer="conv")
    assert Settings(style_layers="relu1_1:2 relu2_1").style_layers == "relu1_1:2 relu2_1"


def test_a_value_of_an_earlier_version_is_still_known():
    assert Settings(style_loss="normal") == Settings(style_loss="gaussian")
    assert Settings.from_json('{"style_loss": "normal"}').public()["style_loss"] == "gaussian"
    with pytest.raises(InputError, match="gaussian, gram, not"):
        Settings(style_loss="Normal")


def test_settings_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().size = 3


def test_json_round_trip():
    settings = Settings(content_weight=2.5, size=320, initial="noise", coarse_to_fine=False, seed=2**32 - 1)
    assert Settings.from_json(settings.to_json()) == settings
    assert Settings.from_json("{}") == Settings()


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "valid JSON"),
        ("[1]", "JSON object"),
        ('"x"', "JSON object"),
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
