"""Links that carry the state of the page: settings and examples, never an upload."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from nst.page.gallery import among, finished_file, photos, styles
from nst.settings import KNOBS, Settings


def to_query(values: Mapping[str, Any], pictures: Mapping[str, Any]) -> str:
    """Return a query that restores what differs from a fresh page, and the size, which differs between hosts.

    Of the pictures, paths by the names "photo", "style", "style_2" .., what is no example is left out.
    """
    accepted = Settings.acceptable(dict(values))
    parameters = {
        name: _text(value)
        for name, value in accepted.items()
        if value != KNOBS[name].default or name == "size"
    }
    for name, picture in pictures.items():
        examples = _examples(name)
        example = among(examples, picture)
        if example and (example is not examples[0] or name not in ("photo", "style")):
            parameters[name] = example.stem
    return urlencode(parameters)


def from_query(query: Mapping[str, str], names: Sequence[str]) -> tuple[dict[str, Any], dict[str, Path]]:
    """Return the knobs and pictures that a query names; what it gets wrong is passed over."""
    values = {name: _value(knob.kind, query[name]) for name, knob in KNOBS.items() if name in query}
    pictures = {
        name: example for name in names for example in _examples(name) if example.stem == query.get(name)
    }
    return Settings.acceptable(values), pictures


def shared(query: str) -> tuple[str, Path]:
    """Return what a link names, as `to_query` writes it, and the file of what its pictures become."""
    knobs, pictures = from_query(dict(parse_qsl(query)), ("photo", "style"))
    file = finished_file(pictures.get("photo", photos()[0]), pictures.get("style", styles()[0]))
    return to_query(knobs, pictures), file


def _examples(name: str) -> Sequence[Path]:
    return photos() if name == "photo" else styles()


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
