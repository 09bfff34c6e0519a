"""The foot of the page."""

from __future__ import annotations

import pytest

from nst.page.layout import _source

SPACE = "https://huggingface.co/spaces/you/painted-live/tree/main"


@pytest.mark.parametrize(
    ("named", "space", "address"),
    [
        ("", "", ""),
        ("", "you/painted-live", SPACE),
        ("https://example.org/code", "you/painted-live", "https://example.org/code"),
        ("javascript:alert(1)", "", ""),
    ],
)
def test_the_source_is_where_the_host_says(monkeypatch, named, space, address):
    monkeypatch.setenv("NST_SOURCE", named)
    monkeypatch.setenv("SPACE_ID", space)
    assert _source() == address
