"""Links that carry the state of the page, knobs that links and all else have, and the page's source."""

import shutil
from urllib.parse import parse_qsl

import pytest
from served import LIMITS

from nst import Settings
from nst.guard.service import Service
from nst.options import parser
from nst.page.gallery import photos, styles
from nst.page.layout import _source, build
from nst.page.links import from_query, to_query
from nst.settings import KNOBS

NAMES = ("photo", "style", "style_2")


@pytest.fixture(scope="module")
def labels():
    """The labels of the page by the names of their components."""
    service = Service(LIMITS)
    blocks = build(service).blocks.values()
    yield {getattr(each, "elem_id", ""): getattr(each, "label", "") for each in blocks}
    service.close()


@pytest.mark.parametrize("name", [name for name, knob in KNOBS.items() if not knob.local])
def test_a_knob_is_declared_once_for_page_command_line_link_and_saved_settings(labels, name):
    knob = KNOBS[name]
    assert labels[name] == knob.label
    assert "--" + name.replace("_", "-") in parser()._option_string_actions
    named = (True, False) if knob.kind is bool else (*knob.choices, *knob.suggestions)
    another = next(value for value in named or (knob.low, knob.high) if value != knob.default)
    settings = Settings(**{name: another})
    found, _ = from_query(dict(parse_qsl(to_query(settings.public(), {}))), [])
    assert found[name] == another
    assert Settings.from_dict(settings.public()) == settings


def test_a_link_of_an_earlier_version_still_loads_and_a_fresh_pages_names_the_size_alone():
    assert from_query({"style_loss": "normal"}, NAMES) == ({"style_loss": "gaussian"}, {})
    # Another host may begin with another one.
    pictures = {"photo": str(photos()[0]), "style": str(styles()[0]), "style_2": None}
    assert to_query(Settings().public(), pictures) == "size=512"


def test_examples_come_back_and_uploads_stay_away(tmp_path):
    copy = tmp_path / photos()[2].name
    shutil.copy(photos()[2], copy)  # as Gradio's cache holds it
    own = tmp_path / "marbling.jpg"
    own.write_bytes(b"a visitor's own file of that name")
    pictures = {"photo": str(copy), "style": str(own), "style_2": str(styles()[0])}
    query = to_query({}, pictures)
    assert "marbling" not in query
    assert str(tmp_path) not in query
    _, found = from_query(dict(parse_qsl(query)), NAMES)
    assert found == {"photo": photos()[2], "style_2": styles()[0]}


@pytest.mark.parametrize(
    "query",
    [
        {"style_weight": "99", "size": "x", "iterations": "1e999", "edge": "0x10", "coarse_to_fine": "maybe"},
        {"photo": "../../etc/passwd", "style": "", "style_2": "astronaut", "style_layers": "relu1_1 " * 1000},
        {"weights": "/etc/passwd", "time_limit": "1", "nonsense": "1", "__theme": "dark", "seed": "\0"},
    ],
)
def test_wrong_values_are_passed_over(query):
    assert from_query(query, NAMES) == ({}, {})


@pytest.mark.parametrize(
    ("named", "space", "address"),
    [
        ("", "you/painted-live", "https://huggingface.co/spaces/you/painted-live/tree/main"),
        ("https://example.org/code", "you/painted-live", "https://example.org/code"),
        ("javascript:alert(1)", "", ""),
    ],
)
def test_the_source_is_where_the_host_says(monkeypatch, named, space, address):
    monkeypatch.setenv("NST_SOURCE", named)
    monkeypatch.setenv("SPACE_ID", space)
    assert _source() == address
