import json
import math

import pytest

from nst import InputError, Settings
from nst.settings import KNOBS


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
    assert type(Settings(iterations=100.0).iterations) is int
    with pytest.raises(InputError, match="whole number"):
        Settings(iterations=100.5)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("coarse_to_fine", 1, "coarse_to_fine"),
        ("optimizer", "sgd", "lbfgs, adam, gradient-descent"),
        ("optimizer", 3, "text"),
        ("style_layers", "relu7_1", "no layer 'relu7_1'"),
        ("style_layers", "relu1_1:0", "No style layer is left"),
        *(("style_layers", f"relu1_1:{weight}", "from 0 to 1000000") for weight in ("-1", "nan", "1e9", "x")),
        ("style_layers", "x" * 1_000, "no layer 'xxxxxxxxxxxxxxxxxxxx'"),
        ("style_layers", "x" * 10_000, "at most 2000 letters"),
        ("content_layer", "conv", "no layer 'conv'"),
    ],
)
def test_switches_choices_and_texts_refuse_what_they_are_not(name, value, message):
    with pytest.raises(InputError, match=message):
        Settings(**{name: value})


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[1]", "JSON object"),
        ("[" * 100_000, "valid JSON"),
        ('{"stile_weight": 3}', "did you mean style_weight"),
        ('{"zzz": 3}', "known ones are"),
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
