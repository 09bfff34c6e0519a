"""What is drawn with the brush, each colour saying what is to happen there, as masks."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image, ImageColor

from nst.errors import InputError
from nst.settings import MOST_STYLES

# Far apart from one another, so that a smoothed pixel still names its role.
KEEP = "#ffffff"
STYLES = ("#e6194b", "#0082ff", "#ffb000", "#00b060")[:MOST_STYLES]
ROLES = {"Keep the photo": KEEP, **{f"Style {number}": color for number, color in enumerate(STYLES, 1)}}

# On the style picture there is one.
SOURCE = {"Take the style from here": STYLES[0]}

_START = "data:image/png;base64,"


def sent_drawing(drawing: Any) -> bytes | None:
    """Return the PNG that a data URL is, None where nothing was drawn; raise InputError for anything else."""
    if not drawing:
        return None
    with contextlib.suppress(ValueError):
        if isinstance(drawing, str) and drawing.startswith(_START):
            return base64.b64decode(drawing.removeprefix(_START), validate=True)
    raise InputError("This is no drawing; clear it and draw again.")


def strokes(pixels: np.ndarray, roles: Mapping[str, str] = ROLES) -> tuple[Image.Image | None, ...]:
    """Return a mask for each role, None if there is no stroke in its colour in (H, W, 4) uint8 pixels."""
    colors = np.array([ImageColor.getrgb(color) for color in roles.values()], np.float32)
    role = ((pixels[..., None, :3] - colors) ** 2).sum(-1).argmin(-1)
    covers = [np.where(role == index, pixels[..., 3], 0) for index in range(len(roles))]
    # Less than a speck is no stroke.
    return tuple(Image.fromarray(cover) if (cover > 127).sum() >= 4 else None for cover in covers)
