"""What samples mean: the same picture here as in a browser."""

import base64
import struct

import numpy as np
import pytest
from corpus import with_chunks
from pictures import encoded
from PIL import Image
from test_files import SRGB, seen

from nst.image.decoding import decode

Chunk = tuple[bytes, bytes]
P3 = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)


def png(pixel: object, *chunks: Chunk, mode: str = "RGB") -> bytes:
    return with_chunks(encoded(Image.new(mode, (32, 32), pixel), "PNG"), *chunks)


def gamma(value: float) -> Chunk:
    return b"gAMA", struct.pack(">I", round(value * 100_000))


def chroma(*values: float) -> Chunk:
    return b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in values))


def code(primaries: int, transfer: int) -> Chunk:
    return b"cICP", bytes([primaries, transfer, 0, 1])


# Each with how far it may be from Chromium's: lcms and Skia round a matrix differently.
FILES = {
    "linear grey": (png(55, gamma(1.0), mode="L"), 1),
    "Display P3 by cHRM": (png((200, 100, 50), gamma(0.45455), chroma(*P3)), 8),
    "Display P3 by cICP": (png((200, 100, 50), code(12, 13)), 1),
    "cICP counts more than gAMA": (png((55, 100, 200), gamma(1.0), code(1, 13)), 1),
    "sRGB counts more than gAMA": (png((55, 100, 200), (b"sRGB", b"\0"), gamma(1.0)), 0),
    "bright PQ": (png((200, 200, 200), code(9, 16)), 1),
    "white in HLG": (png((192, 192, 192), code(9, 18)), 6),
}


@pytest.fixture(scope="module")
def shown(browser):
    """Return a function that says of a file's bytes what Chromium shows: width, height, and a pixel."""
    page = browser.new_page()
    drawn = """async (url) => {
      const image = new Image(); image.src = url; await image.decode();
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
      const context = canvas.getContext('2d'); context.drawImage(image, 0, 0);
      return [canvas.width, canvas.height, ...context.getImageData(16, 16, 1, 1).data.slice(0, 3)] }"""
    yield lambda data, kind: page.evaluate(
        drawn, f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    )
    page.close()


@pytest.mark.parametrize(("data", "most"), FILES.values(), ids=FILES)
def test_a_png_is_what_a_browser_shows(data, most, shown):
    assert np.abs(seen(data)[16, 16].round() - shown(data, "png")[2:]).max() <= most


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "AVIF", "WEBP"])
@pytest.mark.parametrize("by", ["exif", "xmp"])
def test_a_picture_is_turned_where_a_browser_turns_it(kind, by, shown):
    image = Image.new("RGB", (96, 64), "black")
    image.paste("white", (0, 0, 48, 64))
    exif = Image.Exif()
    exif[0x0112] = 6
    xmp = b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
    data = encoded(image, kind, quality=95, **{by: exif if by == "exif" else xmp})
    pixels = seen(data)
    assert [*pixels.shape[1::-1], *pixels[16, 16]] == pytest.approx(shown(data, kind.lower()), abs=12)


@pytest.mark.parametrize(
    "chunks",
    [
        [(b"gAMA", b"\0\0\0\0")],
        [gamma(0.45455), (b"cHRM", bytes(32))],
        [gamma(0.45455), chroma(0.3, 0.3, *[0.3] * 6)],
        [(b"cICP", b"\1")],
        [code(250, 250)],
        [(b"cICP", bytes([1, 13, 9, 1]))],
    ],
)
def test_damaged_chunks_are_passed_over(chunks):
    assert decode(png((55, 100, 200), *chunks))[16, 16].tolist() == [55, 100, 200]


@pytest.mark.parametrize(
    ("mode", "value"), [("L", 13), ("LA", (13, 255)), ("I;16", 13 * 257), ("F", 13 / 255)]
)
def test_a_profile_of_grey_counts_in_every_kind_of_grey(mode, value):
    # A profile of linear grey: sRGB's, said to be of grey, its first curve a straight line.
    profile = bytearray(SRGB)
    profile[16:20] = b"GRAY"
    entry = profile.index(b"rTRC")
    profile[entry : entry + 4] = b"kTRC"
    (curve,) = struct.unpack_from(">I", profile, entry + 4)
    profile[curve : curve + 12] = b"curv" + bytes(8)
    data = encoded(Image.new(mode, (32, 32), value), "TIFF", icc_profile=bytes(profile))
    assert seen(data)[16, 16] == pytest.approx([64] * 3, abs=3)
