"""The text inside a saved picture: how it was painted, and nothing about its inputs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import nst
from nst.errors import InputError
from nst.image.decoding import painting_text

_KEY = "Settings"


def describe_painting(settings: Mapping[str, Any], encoder: str, *, steered: bool = False) -> dict[str, str]:
    """Return text entries: the program with its version, and the settings as JSON.

    Args:
        settings: how the picture was painted, knob by knob.
        encoder: the name of the encoder that painted it, as the setting may be "auto".
        steered: whether they changed while it was painted, so that they alone do not give the same picture.
    """
    values: dict[str, Any] = {**settings, "painted_with": encoder}
    if steered:
        values["steered"] = True
    return {"Software": f"neural style transfer {nst.__version__}", _KEY: json.dumps(values)}


def settings_of(picture: str | Path | bytes | IO[bytes], label: str = "The picture") -> dict[str, Any]:
    """Return the settings in a saved painting, unchecked.

    Raises:
        InputError: it is no picture, or carries no settings.
    """
    return settings_in(painting_text(picture, label), label)


def settings_in(text: Mapping[str, str], label: str = "The picture") -> dict[str, Any]:
    """Return the settings in the text entries of a saved painting, unchecked.

    Raises:
        InputError: they hold no settings.
    """
    try:
        values = json.loads(text.get(_KEY, ""))
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise InputError(f"{label} carries no settings; use a picture that was painted and saved here.")
    return values
