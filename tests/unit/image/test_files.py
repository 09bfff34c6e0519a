"""Picture files: each as browsers show it, or one sentence."""

from __future__ import annotations

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
import torch
from conftest import ROOT, picture
from corpus import chunk, claiming, encoded
from PIL import Image, ImageCms, PngImagePlugin

from nst.errors import IncompleteWarning, InputError
from nst.image.decoding import decode, measure
from nst.image.picture_files import encode_jpeg, encode_png, load_image
from nst.image.tensors import MAX_SIDE, fit, fit_area, resize, to_pixels


def test_pixels_arrive_as_they_are():
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    image = load_image(encoded(Image.fromarray(pixels), "PNG"))
    assert image.shape == (1, 3, 20, 30)
    assert image.dtype == torch.float32
    assert np.array_equal(to_pixels(image), pixels)


def plain(mode: str, colour: object) -> Image.Image:
    return Image.new(mode, (32, 32), colour)


def of(value: float, kind: type) -> Image.Image:
    return Image.fromarray(np.full((32, 32), value, kind))


def floats(value: float, white: float) -> Image.Image:
    data = np.full((32, 32), value, np.float32)
    data[0, 0], data[1, 1] = white, np.nan
    return Image.fromarray(data)


def swapping() -> bytes:
    """Return a profile by which red is green, so that it can be seen whether it counts."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.index(b"rXYZ"), profile.index(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile)


def before(name: bytes, data: bytes, more: bytes) -> bytes:
    """Return a PNG with another chunk before one of its own."""
    at = data.index(name) - 4
    return data[:at] + more + data[at:]


def with_primaries(number: int) -> bytes:
    """Return an AVIF that says in which primaries its colours are."""
    data = encoded(plain("RGB", ROSE), "AVIF", quality=95)
    at = data.index(b"colrnclx")
    return data[: at + 8] + struct.pack(">H", number) + data[at + 10 :]


def with_text(text: str, **more: bool) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", text, **more)
    return encoded(plain("RGB", ROSE), "PNG", pnginfo=info)


def palette(clear: int = 0) -> Image.Image:
    """Return a palette's second colour, with the first in as many rows."""
    found = plain("P", 1)
    found.putpalette([0, 0, 0, 10, 200, 30])
    found.paste(0, (0, 0, 32, clear))
    return found


BROWN, RED, ROSE, GREEN = (200, 100, 40), (255, 0, 0), (200, 40, 90), (40, 200, 90)
SWAPPED = encoded(plain("RGB", ROSE), "PNG", icc_profile=swapping())
ANIMATION = {"save_all": True, "append_images": [plain("RGB", "blue")]}
NCLX = {"transfer_characteristics": 13, "matrix_coefficients": 6}
# Each with the mean colour that a person sees, in bytes.
FILES = {
    **{
        kind: (encoded(plain("RGB", BROWN), kind), BROWN)
        for kind in ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "PPM", "TGA")
    },
    "half transparent": (encoded(plain("RGBA", (*RED, 128)), "PNG"), (255, 127, 127)),
    "half transparent grey": (encoded(plain("LA", (0, 128)), "PNG"), (127, 127, 127)),
    "palette": (encoded(palette(), "PNG"), (10, 200, 30)),
    "palette with a clear colour": (encoded(palette(16), "PNG", transparency=1), (127.5, 127.5, 127.5)),
    "grey": (encoded(plain("L", 51), "PNG"), (51, 51, 51)),
    "bitmap": (encoded(plain("1", 1), "PNG"), (255, 255, 255)),
    "CMYK": (encoded(plain("CMYK", (0, 255, 255, 0)), "JPEG"), RED),
    "16 bits": (encoded(of(32768, np.uint16), "PNG"), (127.5, 127.5, 127.5)),
    "16 bits TIFF": (encoded(of(32768, np.uint16), "TIFF"), (127.5, 127.5, 127.5)),
    # By what white must be.
    "floats to 1": (encoded(floats(0.5, 1), "TIFF"), (127.5, 127.5, 127.5)),
    "floats to 255": (encoded(floats(127.5, 255), "TIFF"), (127.5, 127.5, 127.5)),
    "floats to 65535": (encoded(floats(32767.5, 65535), "TIFF"), (127.5, 127.5, 127.5)),
    "an animation's first frame": (encoded(plain("RGB", "red"), "GIF", **ANIMATION), RED),
    "with a profile": (SWAPPED, GREEN),
    "cICP counts more": (before(b"iCCP", SWAPPED, chunk(b"cICP", bytes([1, 13, 0, 1]))), ROSE),
    "AVIF in sRGB's primaries": (with_primaries(1), ROSE),
    "AVIF in Display P3's": (with_primaries(12), (217, 0, 89)),
    "HEIC in sRGB's primaries": (
        encoded(plain("RGB", ROSE), "HEIF", quality=95, color_primaries=1, **NCLX),
        ROSE,
    ),
    "HEIC in Display P3's": (
        encoded(plain("RGB", ROSE), "HEIF", quality=95, color_primaries=12, **NCLX),
        (217, 0, 89),
    ),
    "a wrong checksum beside the pixels": (with_text("hello").replace(b"hello", b"jello"), ROSE),
    "a text that is too long to unpack": (with_text("x" * 3_000_000, zip=True), ROSE),
}
# Compressed with loss, or converted by a profile.
LOSSY = (
    "JPEG",
    "WEBP",
    "AVIF",
    "CMYK",
    "with a profile",
    *(name for name in FILES if "primaries" in name or "P3" in name),
)


@pytest.mark.parametrize("name", FILES)
def test_every_kind_of_file_is_seen_as_a_person_sees_it(name):
    data, colour = FILES[name]
    found = load_image(data).mean((0, 2, 3)).mul(255).tolist()
    assert found == pytest.approx(colour, abs=6 if name in LOSSY else 0.2)
    assert measure(data) == (32, 32)


def test_every_way_to_hand_a_picture_over(tmp_path):
    path = tmp_path / "a.png"
    picture(30, 20).save(path)
    expected = load_image(path)
    for source in (str(path), path.read_bytes(), io.BytesIO(path.read_bytes()), Image.open(path)):
        assert torch.equal(load_image(source), expected)


def test_broken_orientation_is_ignored():
    image = encoded(picture(40, 20), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\xff\xff")
    assert load_image(image).shape[-2:] == (20, 40)


def test_huge_pictures_are_reduced():
    image = load_image(encoded(Image.new("RGB", (6000, 3000), "teal"), "JPEG"))
    assert max(image.shape[-2:]) <= MAX_SIDE
    assert image.shape[-1] == 2 * image.shape[-2]


JPEG, PNG = (encoded(picture(300, 300), kind) for kind in ("JPEG", "PNG"))
FIRST = PNG.index(b"IDAT") + 4
SENTENCES = {
    "nothing": (b"", r"an empty file; choose another\."),
    "text": (b"hello there", "not a picture that can be read here; use a JPEG"),
    "page": (b"\n<!DOCTYPE html><p>Not found", r"a web page and no picture; save the picture itself\."),
    "icon": (b"\0\0\1\0\1\0", r"an icon; export it as PNG and use that\."),
    "jp2": (b"\0\0\0\x0cjP  \r\n", r"a JPEG 2000, which is not read here; export it as PNG and use that\."),
    "jxl": (b"\xff\x0a" + bytes(40), r"a JPEG XL, which is not read here; export it as PNG and use that\."),
    "pdf": (b"%PDF-1.7", r"a PDF; export it as PNG and use that\."),
    "svg": (b"<?xml version='1.0'?><svg>", r"an SVG drawing; export it as PNG and use that\."),
    "one pixel": (encoded(Image.new("RGB", (1, 1)), "PNG"), "1 x 1 pixels, which is too small to paint with"),
    "a line": (encoded(Image.new("RGB", (2000, 8)), "PNG"), "2000 x 8 pixels, which is too small"),
}
CLAIMS = {
    "bomb": (claiming(13000, 13000), "has 169 million pixels"),
    "big bomb": (claiming(60000, 60000), r"claims more than \d+ million pixels"),
}
DAMAGED = {
    "truncated": JPEG[:2000],
    "half": JPEG[: len(JPEG) // 2],
    "truncated png": PNG[:3000],
    "png without its pixels": claiming(500, 500),
    "a wrong checksum of the pixels": PNG[:FIRST] + bytes([PNG[FIRST] ^ 255]) + PNG[FIRST + 1 :],
}
BAD = {
    **{name: (data, f"is {sentence}") for name, (data, sentence) in SENTENCES.items()},
    **CLAIMS,
    **{
        name: (data, r"is damaged or incomplete; save or download it again\.")
        for name, data in DAMAGED.items()
    },
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_gets_one_sentence(name):
    data, sentence = BAD[name]
    # What its first bytes tell is said by the forecast too.
    for look in (load_image,) if name in DAMAGED else (load_image, measure):
        with pytest.raises(InputError, match=f"^The photo {sentence}") as caught:
            look(data, "The photo")
        assert str(caught.value).endswith(".")
        assert "\n" not in str(caught.value)


def test_rows_that_are_missing_are_told():
    data = encoded(picture(400, 300, seed=1), "JPEG", quality=95)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = decode(data)
    for lost in (1, 20, 100):
        with pytest.warns(IncompleteWarning, match="^The photo breaks off early: .* grey"):
            assert np.array_equal(decode(data[:-lost], "The photo")[:280], whole[:280])
    some = "The photo breaks off early: a part of its last rows is grey."
    with pytest.warns(IncompleteWarning, match=some):
        decode(data[:-20], "The photo")
    with pytest.warns(IncompleteWarning, match=r"The photo breaks off early: its last \d+ rows are grey\."):
        pixels = decode(data[: -len(data) // 25], "The photo")
    assert (pixels[-1] == 128).all()


def test_a_progressive_jpeg_that_breaks_off_late_is_softer_and_not_grey():
    data = encoded(picture(256, 256), "JPEG", progressive=True, quality=90)
    with pytest.warns(IncompleteWarning, match="softer than it was"):
        decode(data[: int(len(data) * 0.95)], "The photo")


def deep_png(pixels: np.ndarray, *chunks: bytes) -> bytes:
    """Return (H, W, 1) or (H, W, 3) uint16 pixels as a PNG, which Pillow does not write."""
    height, width, channels = pixels.shape
    head = struct.pack(">IIBBBBB", width, height, 16, 2 if channels == 3 else 0, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    own = (chunk(b"IHDR", head), *chunks, chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(own)


@pytest.mark.parametrize("channels", [1, 3])
def test_transparency_of_one_colour_in_16_bits(channels):
    pixels = np.full((32, 32, channels), 30000, np.uint16)
    pixels[:, 16:] = 5000
    clear = chunk(b"tRNS", struct.pack(f">{channels}H", *[30000] * channels))
    found = decode(deep_png(pixels, clear), alpha=True)
    assert found.shape == (32, 32, 4)
    assert (found[:, :16, 3] == 0).all()
    assert (found[:, 16:, 3] == 1).all()


def test_what_is_transparent_throughout_is_said_but_for_a_mask():
    data = encoded(plain("RGBA", (255, 0, 0, 0)), "PNG")
    with pytest.raises(InputError, match="The style picture is transparent throughout"):
        decode(data, "The style picture")
    assert decode(data, "The mask", ground=0.0).max() == 0


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(InputError, match=r"no file nowhere\.png"):
        load_image(tmp_path / "nowhere.png")
    with pytest.raises(InputError, match="no readable file"):
        load_image(tmp_path)


def test_output_carries_only_the_text_it_is_given():
    pixels = np.zeros((20, 20, 3), dtype=np.uint8)
    written = Image.open(io.BytesIO(encode_png(pixels, {"Settings": "{}"})))
    assert written.info == {"Settings": "{}"}
    jpeg = Image.open(io.BytesIO(encode_jpeg(pixels)))
    assert not {"exif", "icc_profile"} & set(jpeg.info)


def test_sizes_keep_the_aspect_ratio():
    assert fit(1000, 500, 512) == (512, 256)
    assert fit(500, 1000, 64) == (32, 64)
    assert fit(3000, 1, 64) == (64, 1)
    width, height = fit_area(300, 100, 512 * 512)
    assert width / height == pytest.approx(3, rel=0.01)
    assert width * height == pytest.approx(512 * 512, rel=0.01)
    assert min(fit_area(4000, 20, 64 * 64)) >= 32


def test_resize_keeps_a_flat_colour_and_low_passes():
    flat = torch.full((1, 3, 40, 60), 0.3)
    assert torch.allclose(resize(flat, (25, 17)), torch.full((1, 3, 17, 25), 0.3), atol=1e-5)
    checks = (torch.arange(64)[:, None] + torch.arange(64)).remainder(2).float().expand(1, 3, 64, 64)
    assert resize(checks, (16, 16)).sub(0.5).abs().max() < 0.1


def test_pixels_are_clipped_and_rounded():
    values = torch.tensor([-1.0, 0.0, 0.5, 1.0, 7.0]).view(1, 1, 1, 5).expand(1, 3, 1, 5)
    assert to_pixels(values)[0, :, 0].tolist() == [0, 0, 128, 255, 255]


def test_example_pictures_are_all_readable():
    paths = [*(ROOT / "examples" / "photos").iterdir(), *(ROOT / "examples" / "styles").iterdir()]
    assert len(paths) > 1
    for path in paths:
        assert min(load_image(path).shape[-2:]) >= 290, path.name
