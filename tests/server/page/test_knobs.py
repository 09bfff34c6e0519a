"""A knob is declared once; the page, a link, the API, the command line and saved settings have it by that."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from served import LIMITS

from nst import Settings
from nst.guard.service import Service
from nst.knob import Knob
from nst.options import parser
from nst.page.layout import build
from nst.page.links import from_query, to_query
from nst.settings import KNOBS

PUBLIC = [name for name, knob in KNOBS.items() if not knob.local]


@pytest.fixture(scope="module")
def page():
    service = Service(LIMITS)
    yield build(service)
    service.close()


def another(knob: Knob) -> Any:
    """Return a value that is not the default."""
    if knob.kind is bool:
        return not knob.default
    values = (*knob.choices, *knob.suggestions) if knob.kind is str or knob.choices else (knob.low, knob.high)
    return next(value for value in values if value != knob.default)


@pytest.mark.parametrize("name", PUBLIC)
def test_it_is_everywhere(page, name):
    knob = KNOBS[name]
    shown = [block for block in page.blocks.values() if getattr(block, "elem_id", None) == name]
    assert [block.label for block in shown] == [knob.label]
    (stylize,) = (event for event in page.fns.values() if event.api_name == "stylize")
    assert name in [(each.elem_id or "").removeprefix("api-").replace("-", "_") for each in stylize.inputs]
    options = {option for action in parser()._actions for option in action.option_strings}
    assert "--" + name.replace("_", "-") in options
    other = another(knob)
    settings = Settings(**{name: other})
    values = {each: getattr(settings, each) for each in PUBLIC}
    found, _ = from_query(dict(parse_qsl(to_query(values, {}))), [])
    assert found[name] == other
    assert Settings.from_dict(settings.public()) == settings
