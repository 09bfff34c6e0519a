"""Links that carry the state of the page."""

from __future__ import annotations

import shutil
from urllib.parse import parse_qsl

import pytest

from nst import Settings
from nst.page.gallery import photos, styles
from nst.page.links import from_query, to_query

NAMES = ("photo", "style", "style_2")


def test_a_link_of_an_earlier_version_still_loads():
    assert from_query({"style_loss": "normal"}, NAMES) == ({"style_loss": "gaussian"}, {})


def test_of_a_fresh_page_a_link_names_the_size_alone():
    """Another host may begin with another one."""
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
        {"style_weight": "99", "size": "x", "iterations": "nan", "seed": "-1", "coarse_to_fine": "maybe"},
        {"photo": "../../etc/passwd", "style": "", "style_2": "astronaut"},
        {"weights": "/etc/passwd", "time_limit": "1", "nonsense": "1", "__theme": "dark"},
        {"style_layers": "relu1_1 " * 1000, "colors": "<script>", "content_layer": "relu9_9"},
        {"iterations": "1e999", "edge": "0x10", "blend_1": "1_0_0"},
    ],
    ids=lambda query: next(iter(query)),
)
def test_wrong_values_are_passed_over(query):
    assert from_query(query, NAMES) == ({}, {})
