"""The text inside a saved picture: how it was painted, and nothing about its inputs."""

from __future__ import annotations

import json

import nst
from nst.settings import Settings


def describe_painting(settings: Settings, encoder: str) -> dict[str, str]:
    """Return PNG text entries: the program with its version, and the settings as JSON.

    Args:
        settings: how the picture was painted.
        encoder: the name of the encoder that painted it; "auto" alone would not say.
    """
    return {
        "Software": f"neural style transfer {nst.__version__}",
        "Settings": json.dumps({**settings.public(), "painted_with": encoder}),
    }
