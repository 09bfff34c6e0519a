"""Links that carry the state of the page: settings and examples, never an upload."""

from __future__ import annotations

import filecmp
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from nst.settings import KNOBS, Settings
from nst.ui.gallery import Example, photos, styles

# Longer values name nothing that is here.
_LONGEST = 400


def to_query(values: Mapping[str, Any], pictures: Mapping[str, Any]) -> str:
    """Return a query that restores what differs from a fresh page.

    Args:
        values: the knobs.
        pictures: "photo", "style", "style_2" ..: paths; what is no example is left out.
    """
    accepted = Settings.acceptable(dict(values))
    told = {name: _text(value) for name, value in accepted.items() if value != KNOBS[name].default}
    for name, picture in pictures.items():
        examples = _examples(name)
        example = _among(examples, picture)
        if example and (example is not examples[0] or name not in ("photo", "style")):
            told[name] = example.path.stem
    return urlencode(told)


def from_query(query: Mapping[str, str], names: Sequence[str]) -> tuple[dict[str, Any], dict[str, Path]]:
    """Return the knobs and pictures that a query names; what it gets wrong is passed over.

    Args:
        query: its parameters.
        names: which pictures there are.
    """
    values = {}
    for name, knob in KNOBS.items():
        text = query.get(name)
        if text is not None and len(text) <= _LONGEST:
            values[name] = _value(knob.kind, text)
    pictures = {}
    for name in names:
        by_stem = {example.path.stem: example.path for example in _examples(name)}
        if query.get(name) in by_stem:
            pictures[name] = by_stem[query[name]]
    return Settings.acceptable(values), pictures


def _examples(name: str) -> list[Example]:
    return photos() if name == "photo" else styles()


def _among(examples: list[Example], picture: Any) -> Example | None:
    """Return the example that a file is a copy of."""
    if not isinstance(picture, str):
        return None
    for example in examples:
        # The name alone would do for a visitor's own file of that name too.
        if example.path.stem == Path(picture).stem and filecmp.cmp(example.path, picture, shallow=False):
            return example
    return None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _value(kind: type, text: str) -> Any:
    """Return what a text means, or the text itself, which the knob then refuses."""
    if kind is bool:
        return {"yes": True, "no": False}.get(text, text)
    if kind is str:
        return text
    try:
        return float(text)
    except ValueError:
        return text
