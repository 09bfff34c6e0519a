"""A knob is declared once; the page, a link, the command line and saved settings have it by that."""

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

PUBLIC = {name: knob for name, knob in KNOBS.items() if not knob.local}


@pytest.fixture(scope="module")
def labels():
    """The labels of the page by the names of their components."""
    service = Service(LIMITS)
    yield {
        getattr(block, "elem_id", ""): getattr(block, "label", "") for block in build(service).blocks.values()
    }
    service.close()


def another(knob: Knob) -> Any:
    """Return a value that is not the default."""
    if knob.kind is bool:
        return not knob.default
    values = (*knob.choices, *knob.suggestions) if knob.kind is str or knob.choices else (knob.low, knob.high)
    return next(value for value in values if value != knob.default)


@pytest.mark.parametrize("name", PUBLIC)
def test_it_is_everywhere(labels, name):
    assert labels[name] == PUBLIC[name].label
    assert "--" + name.replace("_", "-") in parser()._option_string_actions
    other = another(PUBLIC[name])
    settings = Settings(**{name: other})
    values = {each: getattr(settings, each) for each in PUBLIC}
    found, _ = from_query(dict(parse_qsl(to_query(values, {}))), [])
    assert found[name] == other
    assert Settings.from_dict(settings.public()) == settings
