"""What a program gives as a picture is taken where its meaning is plain, else a sentence says what is."""

import re

import numpy as np
import pytest
import torch
from makers import finished
from pictures import picture

from nst import InputError, Settings, stylize
from nst.image.arrays import from_array
from nst.image.picture_files import load_image

PIXELS = np.asarray(picture(40, 30))  # (30, 40, 3) uint8
TENSOR = torch.from_numpy(PIXELS.copy()).permute(2, 0, 1)
ALIKE = {
    "uint8": PIXELS,
    "float of 0 to 255": PIXELS.astype(np.float32),
    "uint16": PIXELS.astype(np.uint16) * 257,
    "big endian, turned": PIXELS[::-1].astype(">f4")[::-1] / 255,
    "(3, H, W)": np.moveaxis(PIXELS, 2, 0),
    "tensor": TENSOR,
    "batch of one": TENSOR[None].double() / 255,
    "tensor (H, W, 3)": torch.from_numpy(PIXELS.copy()),
}
FEW = Settings(size=64, iterations=10, encoder="narrow", coarse_to_fine=False)


@pytest.mark.parametrize("given", ALIKE.values(), ids=ALIKE)
def test_the_same_picture_however_it_is_given(given):
    assert torch.allclose(from_array(given, "The photo", 1), load_image(picture(40, 30)), atol=1e-3)


def test_grey_and_masks_and_alpha():
    assert from_array(PIXELS[..., 0], "x", 1).shape == (1, 3, 30, 40)
    assert from_array(PIXELS[..., 0] > 100, "x", 1).unique().tolist() == [0, 1]
    assert from_array(np.dstack([PIXELS, PIXELS[..., 0]]), "x", 1).shape == (1, 4, 30, 40)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (np.full((30, 40, 3), np.nan), "The photo holds values that are not finite"),
        (torch.rand(2, 3, 30, 40), "The photo has the shape (2, 3"),
        (np.zeros((0, 0, 3)), "The photo has the shape (0, 0, 3); at least"),
        (np.full((30, 40, 3), 300.0), "The photo holds values from 300 to 300"),
        (np.full((30, 40), "a"), "The photo is an array of"),
        (torch.rand(3, 30, 40).to(torch.complex64), "The photo is a tensor of complex"),
        (7, "The photo is int"),
    ],
)
def test_what_is_no_picture_is_said(given, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        stylize(given, PIXELS, FEW)
    with pytest.raises(InputError, match=re.escape(sentence.replace("photo", "style picture"))):
        stylize(PIXELS, [given], FEW)


def test_all_of_it_paints(encoder):
    several = (each for each in (PIXELS, TENSOR))
    frame = finished(TENSOR, several, {"size": 64, "iterations": 10}, encoder=encoder)
    more = {"keep": PIXELS[..., 0] > 100, "style_masks": [PIXELS[..., 1]], "resume": frame}
    finished(PIXELS, PIXELS, FEW, encoder=encoder, **more)
    assert Settings(iterations=np.int64(50), seed=np.array(3)).iterations == 50


def test_what_a_program_has_switched_in_torch_does_not_count():
    """Nor is anything left of it, in a cache, for whoever paints afterwards."""
    wanted = finished(PIXELS, PIXELS, FEW)
    torch.set_default_dtype(torch.float64)
    try:
        with torch.inference_mode(), torch.autocast("cpu"):
            made = torch.from_numpy(PIXELS.copy())
            found = finished(made, made, FEW)
            assert torch.is_inference_mode_enabled()
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    for each in (found, finished(made, made, FEW)):
        assert np.array_equal(each.image, wanted.image)
