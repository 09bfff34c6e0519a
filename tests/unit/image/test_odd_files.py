"""Files that some program writes and browsers show: each as browsers show it."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from conftest import picture
from corpus import chunk, encoded
from PIL import Image, ImageCms, PngImagePlugin

from nst import InputError
from nst.errors import IncompleteWarning
from nst.image.decoding import decode, measure

RED, GREEN = (200, 40, 90), (40, 200, 90)


def png(pixels: np.ndarray, *chunks: bytes) -> bytes:
    """Return (H, W, 1) or (H, W, 3) uint16 pixels as a PNG, with further chunks before them."""
    height, width, channels = pixels.shape
    kind = 2 if channels == 3 else 0
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + b"".join(chunks)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def swapping() -> bytes:
    """Return a profile by which red is green, so that it can be seen whether it counts."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


def near(found: np.ndarray, wanted: tuple[float, ...], most: float = 3) -> bool:
    seen = found.astype(float) * (1 if found.dtype == np.uint8 else 255)
    return bool(np.abs(seen[len(seen) // 2, seen.shape[1] // 2] - wanted).max() <= most)


def test_a_wrong_checksum_beside_the_pixels_is_passed_over_and_one_of_the_pixels_is_not():
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "hello")
    data = encoded(Image.new("RGB", (32, 32), RED), "PNG", pnginfo=info)
    broken = data.replace(b"hello", b"jello")
    assert near(decode(broken), RED)
    assert measure(broken) == (32, 32)
    at = data.index(b"IDAT")
    with pytest.raises(InputError):
        decode(data[: at + 8] + bytes([data[at + 8] ^ 255]) + data[at + 9 :])


def test_cicp_counts_more_than_a_profile():
    data = encoded(Image.new("RGB", (32, 32), RED), "PNG", icc_profile=swapping())
    assert near(decode(data), GREEN)
    at = data.index(b"iCCP") - 4
    assert near(decode(data[:at] + chunk(b"cICP", bytes([1, 13, 0, 1])) + data[at:]), RED)


@pytest.mark.parametrize("primaries", [1, 12])
def test_an_avif_says_its_primaries(primaries):
    data = encoded(Image.new("RGB", (64, 64), RED), "AVIF", quality=95)
    at = data.index(b"colrnclx")
    data = data[: at + 8] + struct.pack(">H", primaries) + data[at + 10 :]
    assert near(decode(data), RED if primaries == 1 else (217, 0, 89), 6)


@pytest.mark.parametrize("channels", [1, 3])
def test_transparency_of_one_colour_in_16_bits(channels):
    pixels = np.full((32, 32, channels), 30000, np.uint16)
    pixels[:, 16:] = 5000
    data = png(pixels, chunk(b"tRNS", struct.pack(f">{channels}H", *[30000] * channels)))
    found = decode(data, alpha=True)
    assert found.shape == (32, 32, 4)
    assert (found[:, :16, 3] == 0).all()
    assert (found[:, 16:, 3] == 1).all()


def test_a_progressive_jpeg_that_breaks_off_late_is_softer_and_not_grey():
    data = encoded(picture(256, 256), "JPEG", progressive=True, quality=90)
    with pytest.warns(IncompleteWarning, match="softer than it was"):
        decode(data[: int(len(data) * 0.95)], "The photo")


def test_what_is_transparent_throughout_is_said_but_for_a_mask():
    data = encoded(Image.new("RGBA", (32, 32), (255, 0, 0, 0)), "PNG")
    with pytest.raises(InputError, match="The style picture is transparent throughout"):
        decode(data, "The style picture")
    assert decode(data, "The mask", ground=0.0).max() == 0


def test_a_text_that_is_too_long_to_unpack_costs_no_picture():
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "x" * 3_000_000, zip=True)
    assert near(decode(encoded(Image.new("RGB", (32, 32), RED), "PNG", pnginfo=info)), RED)
