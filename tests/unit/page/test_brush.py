"""What is drawn on the photo, as masks."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from conftest import complete
from PIL import Image, ImageDraw

from nst import InputError
from nst.page.brush import KEEP, ROLES, SOURCE, STYLES, sent_drawing, strokes
from nst.runs.decoder import Decoder


def masks(value, roles=ROLES):
    """Return what the page makes of the value of the brush."""
    return strokes(complete(Decoder().drawing(sent_drawing(value), "The drawing", "")), roles)


def url(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def drawing(*parts: tuple[str, tuple[int, int, int, int]]) -> str:
    image = Image.new("RGBA", (80, 60))
    for color, box in parts:
        ImageDraw.Draw(image).rectangle(box, fill=color)
    return url(image)


def test_nothing_drawn_is_no_mask():
    assert sent_drawing(None) is sent_drawing("") is None
    assert masks(drawing()) == (None,) * 5


def test_every_colour_is_its_own_mask():
    boxes = [(16 * n, 0, 16 * n + 15, 30) for n in range(5)]
    found = masks(drawing(*zip((KEEP, *STYLES), boxes, strict=True)))
    for mask, (left, _, right, bottom) in zip(found, boxes, strict=True):
        pixels = np.asarray(mask)
        assert pixels.shape == (60, 80)
        assert (pixels[: bottom + 1, left : right + 1] == 255).all()
        assert (pixels > 0).sum() == 16 * 31
    (mask,) = masks(drawing((STYLES[0], (10, 10, 39, 29))), SOURCE)
    assert (np.asarray(mask) == 255).sum() == 30 * 20


def test_the_smooth_rim_of_a_stroke_keeps_its_role():
    image = Image.new("RGBA", (80, 60), "#b0b0b000")
    red = Image.new("RGBA", (80, 60), STYLES[0])
    rim = Image.linear_gradient("L").resize((80, 60))
    found = masks(url(Image.composite(red, image, rim)))
    assert (found[0], *found[2:]) == (None,) * 4
    assert np.abs(np.asarray(found[1], int) - np.asarray(rim, int)).mean() < 12


@pytest.mark.parametrize(
    "value",
    [
        "data:image/png;base64,!!!",
        "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n").decode(),
        url(Image.new("RGBA", (769, 10), KEEP)),
        "data:image/svg+xml;base64,PHN2Zy8+",
        "data:image/png;base64," + "A" * 5_000_000,
        {"path": "/etc/passwd"},
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_drawing_is_said(value):
    with pytest.raises(InputError):
        masks(value)
