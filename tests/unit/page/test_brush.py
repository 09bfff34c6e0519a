"""What is drawn on the photo, as masks."""

import base64

import numpy as np
import pytest
from conftest import complete
from pictures import encoded
from PIL import Image

from nst import InputError
from nst.page.brush import KEEP, ROLES, STYLES, sent_drawing, strokes
from nst.runs.decoder import Decoder

PNG = "data:image/png;base64,"


def masks(value):
    """Return what the page makes of the value of the brush."""
    return strokes(complete(Decoder().drawing(sent_drawing(value), "The drawing", "")))


def url(image: Image.Image) -> str:
    return PNG + base64.b64encode(encoded(image, "PNG")).decode()


def test_every_colour_is_its_own_mask_and_nothing_drawn_is_none():
    assert sent_drawing(None) is sent_drawing("") is None
    assert masks(url(Image.new("RGBA", (80, 60)))) == (None,) * len(ROLES)
    image = Image.new("RGBA", (80, 60))
    boxes = [(16 * n, 0, 16 * n + 16, 31) for n in range(len(ROLES))]
    for color, box in zip(ROLES.values(), boxes, strict=True):
        image.paste(color, box)
    for mask, box in zip(masks(url(image)), boxes, strict=True):
        expected = Image.new("L", image.size)
        expected.paste(255, box)
        assert mask == expected


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
        PNG + "!!!",
        PNG + base64.b64encode(b"\x89PNG\r\n\x1a\n").decode(),
        url(Image.new("RGBA", (769, 10), KEEP)),
        "data:image/svg+xml;base64,PHN2Zy8+",
        {"path": "/etc/passwd"},
    ],
    ids=["no base64", "cut off", "too large", "no PNG", "no text"],
)
def test_what_is_no_drawing_is_said(value):
    with pytest.raises(InputError):
        masks(value)
