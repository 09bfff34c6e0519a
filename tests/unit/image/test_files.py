"""Picture files: each as browsers show it, or one sentence."""

from __future__ import annotations

import io
import struct
import warnings

import cv2
import numpy as np
import pytest
import torch
from conftest import picture
from corpus import chunk, claiming, encoded
from PIL import Image, ImageCms, PngImagePlugin

from nst.errors import IncompleteWarning, InputError
from nst.image.decoding import decode, measure
from nst.image.picture_files import load_image
from nst.image.tensors import MAX_SIDE, fit, fit_area, resize, to_pixels

BROWN, RED, ROSE, GREEN, GREY = (200, 100, 40), (255, 0, 0), (200, 40, 90), (40, 200, 90), (127.5,) * 3
SRGB, LAB, XYZ = (
    ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes() for name in ("sRGB", "LAB", "XYZ")
)
USELESS = {"LAB": LAB, "XYZ": XYZ, "none at all": b"no profile"}


def seen(data: object) -> np.ndarray:
    """Return a file's pixels, from 0 to 255."""
    pixels = decode(data)
    return pixels.astype(float) if pixels.dtype == np.uint8 else 255.0 * pixels


def flat(form: str = "PNG", mode: str = "RGB", colour: object = ROSE, **more: object) -> bytes:
    """Return a file of one colour."""
    return encoded(Image.new(mode, (32, 32), colour), form, quality=95, **more)


def floats(white: float) -> bytes:
    """Return a TIFF of what is half as light as white, whatever that is, but for one pixel."""
    data = np.full((32, 32), white / 2, np.float32)
    data[0, 0], data[1, 1] = white, np.nan
    return encoded(Image.fromarray(data), "TIFF")


def swapping() -> bytes:
    """Return a profile by which red is green, so that it can be seen whether it counts."""
    profile = bytearray(SRGB)
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


def with_chunk(data: bytes, name: bytes, content: bytes) -> bytes:
    """Return a PNG with another chunk after its head."""
    return data[:33] + chunk(name, content) + data[33:]


def avif(primaries: int) -> bytes:
    data = flat("AVIF")
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">H", primaries) + data[at + 2 :]


def heic(primaries: int) -> bytes:
    return flat("HEIF", color_primaries=primaries, transfer_characteristics=13, matrix_coefficients=6)


def with_text(text: str, **more: bool) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", text, **more)
    return flat(pnginfo=info)


def palette(clear: int = 0, **more: object) -> bytes:
    """Return a PNG of a palette's second colour, with the first in as many rows."""
    image = Image.new("P", (32, 32), 1)
    image.putpalette([0, 0, 0, 10, 200, 30])
    image.paste(0, (0, 0, 32, clear))
    return encoded(image, "PNG", **more)


# Each with the mean colour that a person sees, in bytes.
EXACT = {
    **{kind: (flat(kind, colour=BROWN), BROWN) for kind in ("PNG", "BMP", "TIFF", "GIF", "PPM", "TGA")},
    "half transparent": (flat("PNG", "RGBA", (*RED, 128)), (255, 127, 127)),
    "half transparent grey": (flat("PNG", "LA", (0, 128)), (127, 127, 127)),
    "palette": (palette(), (10, 200, 30)),
    "palette with a clear colour": (palette(16, transparency=1), GREY),
    "grey": (flat("PNG", "L", 51), (51, 51, 51)),
    "bitmap": (flat("PNG", "1", 1), (255, 255, 255)),
    "16 bits": (flat("PNG", "I;16", 32768), GREY),
    "16 bits TIFF": (flat("TIFF", "I;16", 32768), GREY),
    **{f"floats to {white}": (floats(white), GREY) for white in (1, 255, 65535)},
    "an animation's first frame": (
        flat("GIF", save_all=True, append_images=[Image.new("L", (32, 32))]),
        ROSE,
    ),
    "cICP counts more": (with_chunk(flat(icc_profile=swapping()), b"cICP", bytes([1, 13, 0, 1])), ROSE),
    "a wrong checksum beside the pixels": (with_text("hello").replace(b"hello", b"jello"), ROSE),
    "a text that is too long to unpack": (with_text("x" * 3_000_000, zip=True), ROSE),
}
# Compressed with loss, or converted by a profile.
LOSSY = {
    **{kind: (flat(kind, colour=BROWN), BROWN) for kind in ("JPEG", "WEBP", "AVIF")},
    "CMYK": (flat("JPEG", "CMYK", (0, 255, 255, 0)), RED),
    "broken EXIF": (flat("JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\xff\xff"), ROSE),
    "a profile": (flat(icc_profile=swapping()), GREEN),
    "a profile beside transparency": (flat("PNG", "RGBA", ROSE, icc_profile=swapping()), GREEN),
    **{f"useless profile {name}": (flat(icc_profile=data), ROSE) for name, data in USELESS.items()},
    "AVIF in sRGB's primaries": (avif(1), ROSE),
    "AVIF in Display P3's": (avif(12), (217, 0, 89)),
    "HEIC in sRGB's primaries": (heic(1), ROSE),
    "HEIC in Display P3's": (heic(12), (217, 0, 89)),
}


@pytest.mark.parametrize("name", [*EXACT, *LOSSY])
def test_every_kind_of_file_is_seen_as_a_person_sees_it(name):
    data, colour = {**EXACT, **LOSSY}[name]
    assert seen(data).mean((0, 1)) == pytest.approx(colour, abs=6 if name in LOSSY else 0.2)
    assert measure(data) == (32, 32)


def test_every_way_to_hand_a_picture_over(tmp_path):
    path, pixels = tmp_path / "a.png", np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    for source in (path, str(path), path.read_bytes(), io.BytesIO(path.read_bytes()), Image.open(path)):
        image = load_image(source)
        assert (image.shape, image.dtype) == ((1, 3, 20, 30), torch.float32)
        assert np.array_equal(to_pixels(image), pixels)
    for missing, sentence in ((tmp_path / "nowhere.png", r"no file nowhere\.png"), (tmp_path, "no readable")):
        with pytest.raises(InputError, match=sentence):
            load_image(missing)


def test_huge_pictures_are_reduced():
    pixels = decode(encoded(Image.new("RGB", (8400, 210), "teal"), "JPEG"))
    assert pixels.shape == (102, MAX_SIDE, 3)


JPEG, PNG = (encoded(picture(300, 300), kind) for kind in ("JPEG", "PNG"))
FIRST = PNG.index(b"IDAT") + 4
EXPORT = r"; export it as PNG and use that\."
DAMAGED = r"is damaged or incomplete; save or download it again\."
BAD = {
    "nothing": (b"", r"is an empty file; choose another\."),
    "text": (b"hello there", "is not a picture that can be read here; use a JPEG"),
    "page": (b"\n<!DOCTYPE html><p>Not found", r"is a web page and no picture; save the picture itself\."),
    "icon": (b"\0\0\1\0\1\0", "is an icon" + EXPORT),
    "jp2": (b"\0\0\0\x0cjP  \r\n", "is a JPEG 2000, which is not read here" + EXPORT),
    "jxl": (b"\xff\x0a" + bytes(40), "is a JPEG XL, which is not read here" + EXPORT),
    "pdf": (b"%PDF-1.7", "is a PDF" + EXPORT),
    "svg": (b"<?xml version='1.0'?><svg>", "is an SVG drawing" + EXPORT),
    "one pixel": (encoded(picture(1, 1), "PNG"), "is 1 x 1 pixels, which is too small to paint"),
    "a line": (encoded(picture(2000, 8), "PNG"), "is 2000 x 8 pixels, which is too small"),
    "bomb": (claiming(13000, 13000), "has 169 million pixels"),
    "big bomb": (claiming(60000, 60000), r"claims more than \d+ million pixels"),
    "truncated": (JPEG[:2000], DAMAGED),
    "half": (JPEG[: len(JPEG) // 2], DAMAGED),
    "truncated png": (PNG[:3000], DAMAGED),
    "png without its pixels": (claiming(500, 500), DAMAGED),
    "a wrong checksum of the pixels": (PNG[:FIRST] + bytes([PNG[FIRST] ^ 255]) + PNG[FIRST + 1 :], DAMAGED),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_gets_one_sentence(name):
    data, sentence = BAD[name]
    # What its first bytes tell is said by the forecast too.
    for look in (decode,) if sentence == DAMAGED else (decode, measure):
        with pytest.raises(InputError, match=rf"^The photo {sentence}[^\n]*(?<=\.)$"):
            look(data, "The photo")


def test_rows_that_are_missing_are_told():
    data = encoded(picture(400, 300, seed=1), "JPEG", quality=95)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = decode(data)
    for lost, rows in ((1, "a part of its last rows is"), (len(data) // 25, r"its last \d+ rows are")):
        with pytest.warns(IncompleteWarning, match=rf"^The photo breaks off early: {rows} grey\.$"):
            pixels = decode(data[:-lost], "The photo")
        assert np.array_equal(pixels[:250], whole[:250])
    assert (pixels[-1] == 128).all()
    progressive = encoded(picture(256, 256), "JPEG", progressive=True, quality=90)
    with pytest.warns(IncompleteWarning, match="softer than it was"):
        decode(progressive[: int(len(progressive) * 0.95)], "The photo")


@pytest.mark.parametrize("channels", [1, 3])
def test_transparency_of_one_colour_in_16_bits(channels):
    pixels = np.full((32, 32, channels), 30000, np.uint16)
    pixels[:, 16:] = 5000
    clear = struct.pack(f">{channels}H", *[30000] * channels)
    found = decode(with_chunk(cv2.imencode(".png", pixels)[1].tobytes(), b"tRNS", clear), alpha=True)
    assert np.array_equal(found[..., 3], np.repeat([[0, 1]], 16, axis=1).repeat(32, axis=0))


def test_what_is_transparent_throughout_is_said_but_for_a_mask():
    data = flat("PNG", "RGBA", (255, 0, 0, 0))
    with pytest.raises(InputError, match="The style picture is transparent throughout"):
        decode(data, "The style picture")
    assert decode(data, "The mask", ground=0.0).max() == 0


def test_sizes_keep_the_aspect_ratio():
    assert fit(1000, 500, 512) == (512, 256)
    assert fit(3000, 1, 64) == (64, 1)
    width, height = fit_area(300, 100, 512 * 512)
    assert width / height == pytest.approx(3, rel=0.01)
    assert width * height == pytest.approx(512 * 512, rel=0.01)
    assert min(fit_area(4000, 20, 64 * 64)) >= 32


def test_what_is_resized_is_low_passed_and_pixels_are_clipped_and_rounded():
    flat = torch.full((1, 3, 40, 60), 0.3)
    assert torch.allclose(resize(flat, (25, 17)), torch.full((1, 3, 17, 25), 0.3), atol=1e-5)
    checks = (torch.arange(64)[:, None] + torch.arange(64)).remainder(2).float().expand(1, 3, 64, 64)
    assert resize(checks, (16, 16)).sub(0.5).abs().max() < 0.1
    values = torch.tensor([-1.0, 0.0, 0.5, 1.0, 7.0]).expand(1, 3, 1, 5)
    assert to_pixels(values)[0, :, 0].tolist() == [0, 0, 128, 255, 255]
