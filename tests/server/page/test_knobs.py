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


@pytest.fixture(scope="module")
def labels():
    """The labels of the page by the names of their components."""
    service = Service(LIMITS)
    yield {
        getattr(each, "elem_id", ""): getattr(each, "label", "") for each in build(service).blocks.values()
    }
    service.close()


def another(knob: Knob) -> Any:
    """Return a value that is not the default."""
    named = (True, False) if knob.kind is bool else (*knob.choices, *knob.suggestions)
    return next(value for value in named or (knob.low, knob.high) if value != knob.default)


@pytest.mark.parametrize("name", [name for name, knob in KNOBS.items() if not knob.local])
def test_it_is_everywhere(labels, name):
    assert labels[name] == KNOBS[name].label
    assert "--" + name.replace("_", "-") in parser()._option_string_actions
    settings = Settings(**{name: another(KNOBS[name])})
    found, _ = from_query(dict(parse_qsl(to_query(settings.public(), {}))), [])
    assert found[name] == another(KNOBS[name])
    assert Settings.from_dict(settings.public()) == settings
