"""Picture files: each as browsers show it, or one sentence."""

import gc
import io
import struct
import warnings

import cv2
import numpy as np
import pytest
import tifffile
import torch
from corpus import claiming, with_chunks
from pictures import encoded, picture
from PIL import Image, ImageCms, PngImagePlugin

from nst.errors import IncompleteWarning, InputError
from nst.image import decoding
from nst.image.decoding import decode, measure
from nst.image.picture_files import load_image
from nst.image.tensors import MAX_SIDE, resize, to_pixels

BROWN, RED, ROSE, GREEN, GREY = (200, 100, 40), (255, 0, 0), (200, 40, 90), (40, 200, 90), (127.5,) * 3
SRGB, LAB = (ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes() for name in ("sRGB", "LAB"))


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


CODED_SRGB = (b"cICP", bytes([1, 13, 0, 1]))
AVIF_IN_P3 = flat("AVIF").replace(b"colrnclx\0\x01", b"colrnclx\0\x0c")
HEIC_IN_P3 = flat("HEIF", color_primaries=12, transfer_characteristics=13, matrix_coefficients=6)
# Each with the mean colour that a person sees, in bytes.
EXACT = {
    **{kind: (flat(kind, colour=BROWN), BROWN) for kind in ("PNG", "BMP", "TIFF", "GIF", "PPM", "TGA")},
    "half transparent": (flat("PNG", "RGBA", (*RED, 128)), (255, 127, 127)),
    "palette": (palette(), (10, 200, 30)),
    "palette with a clear colour": (palette(16, transparency=1), GREY),
    "bitmap": (flat("PNG", "1", 1), (255, 255, 255)),
    "16 bits": (flat("PNG", "I;16", 32768), GREY),
    **{f"floats to {white}": (floats(white), GREY) for white in (1, 255, 65535)},
    "an animation": (flat("GIF", save_all=True, append_images=[Image.new("L", (32, 32))]), ROSE),
    "cICP counts more": (with_chunks(flat(icc_profile=swapping()), CODED_SRGB), ROSE),
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
    "a profile of another colour model": (flat(icc_profile=LAB), ROSE),
    "no profile": (flat(icc_profile=b"no profile"), ROSE),
    "AVIF in Display P3": (AVIF_IN_P3, (217, 0, 89)),
    "HEIC in Display P3": (HEIC_IN_P3, (217, 0, 89)),
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
    with pytest.raises(InputError, match="no readable"):
        load_image(tmp_path)


JPEG, PNG = (encoded(picture(300, 300), kind) for kind in ("JPEG", "PNG"))
FIRST = PNG.index(b"IDAT") + 4
EXPORT = r"; export it as PNG and use that\."
DAMAGED = r"is damaged or incomplete; save or download it again\."
BAD = {
    "nothing": (b"", r"is an empty file; choose another\."),
    "text": (b"hello there", "is not a picture that can be read here; use a JPEG"),
    "page": (b"\n<!DOCTYPE html><p>Not found", r"is a web page and no picture; save the picture itself\."),
    "icon": (b"\0\0\1\0\1\0", "is an icon" + EXPORT),
    "jxl": (b"\xff\x0a" + bytes(40), "is a JPEG XL, which is not read here" + EXPORT),
    "pdf": (b"%PDF-1.7", "is a PDF" + EXPORT),
    "svg": (b"<?xml version='1.0'?><svg>", "is an SVG drawing" + EXPORT),
    "a line": (encoded(picture(2000, 8), "PNG"), "is 2000 x 8 pixels, which is too small to paint"),
    "bomb": (claiming(13000, 13000), "has 169 million pixels"),
    "big bomb": (claiming(60000, 60000), r"claims more than \d+ million pixels"),
    "half": (JPEG[: len(JPEG) // 2], DAMAGED),
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


def test_transparency_of_one_colour_in_16_bits_and_no_file_left_open(tmp_path):
    pixels = np.full((32, 32, 3), 30000, np.uint16)
    pixels[:, 16:] = 5000
    data = cv2.imencode(".png", pixels)[1].tobytes()
    found = decode(with_chunks(data, (b"tRNS", struct.pack(">3H", *[30000] * 3))), alpha=True)
    assert np.array_equal(found[..., 3], np.repeat([[0, 1]], 16, axis=1).repeat(32, axis=0))
    (tmp_path / "deep.tif").write_bytes(written(SAMPLES, planes="separate"))
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        decode(tmp_path / "deep.tif")
        gc.collect()


def test_what_is_transparent_throughout_is_said_but_for_a_mask():
    data = flat("PNG", "RGBA", (255, 0, 0, 0))
    with pytest.raises(InputError, match="The style picture is transparent throughout"):
        decode(data, "The style picture")
    assert decode(data, "The mask", ground=0.0).max() == 0


def test_what_is_resized_keeps_its_proportions_and_is_low_passed_and_pixels_are_clipped_and_rounded():
    assert decode(encoded(Image.new("RGB", (8400, 210), "teal"), "JPEG")).shape == (102, MAX_SIDE, 3)
    checks = (torch.arange(64)[:, None] + torch.arange(64)).remainder(2).float().expand(1, 3, 64, 64)
    assert resize(checks, (16, 16)).sub(0.5).abs().max() < 0.1
    values = torch.tensor([-1.0, 0.0, 0.5, 1.0, 7.0]).expand(1, 3, 1, 5)
    assert to_pixels(values)[0, :, 0].tolist() == [0, 0, 128, 255, 255]


DEEP = np.random.default_rng(0).integers(0, 65536, (48, 64, 3), dtype=np.uint16)
LIGHT, GREYS = DEEP / 65535, DEEP[..., :1]
SAMPLES = np.full((40, 60, 3), np.array(ROSE) * 257, np.uint16)
BYTES = (GREYS >> 8).astype(np.uint8)
HALF = np.full((40, 60, 1), 32768, np.uint16)
PREMULTIPLIED = np.concatenate([SAMPLES // 2, HALF], axis=2)
PALE = np.divide(ROSE, 510) + 0.5
HALF_GREY = np.concatenate([HALF, HALF], axis=2)
INKS = np.full((40, 60, 4), (0, 65535, 0, 0), np.uint16)
SLOPE = np.tile(np.linspace(0, 1.3, 64, dtype=np.float32)[:, None], (48, 1, 1))


def written(samples: np.ndarray, photometric: str = "rgb", planes: str = "contig", **more: object) -> bytes:
    buffer = io.BytesIO()
    ordered = np.moveaxis(samples, -1, 0) if planes == "separate" else np.squeeze(samples)
    how = {"planarconfig": planes if ordered.ndim == 3 else None, **more}
    tifffile.imwrite(buffer, ordered, photometric=photometric, **how)
    return buffer.getvalue()


# Each with what is seen, from 0 to 1, and how many bytes from it.
TIFFS = {
    "16 bits": (written(DEEP), LIGHT, 1),
    "16 bits, packed planes": (written(DEEP, planes="separate", compression="zlib"), LIGHT, 1),
    **{kind: (written(LIGHT.astype(kind)), LIGHT, 1) for kind in ("float16", "float64")},
    "32 bits": (written((LIGHT * (2**32 - 1)).astype(np.uint32)), LIGHT, 1),
    "white as zero": (written(GREYS, "miniswhite"), 1 - GREYS / 65535, 1),
    "white as zero, 8 bits": (written(BYTES, "miniswhite"), 1 - BYTES / 255, 1),
    # Highlights above white do not make it black and white.
    "highlights": (written(SLOPE, "minisblack"), SLOPE.clip(0, 1), 0.3),
    "a profile": (written(SAMPLES, planes="separate", iccprofile=swapping()), np.divide(GREEN, 255), 3),
    "colours times alpha": (written(PREMULTIPLIED, planes="separate", extrasamples=["assocalpha"]), PALE, 3),
    "alpha": (written(HALF_GREY, "minisblack", extrasamples=["unassalpha"]), 0.751, 3),
    # Planes of ink are not taken for light.
    "ink": (written(INKS, "separated", "separate"), (1, 0, 1), 40),
}


@pytest.mark.parametrize(("data", "expected", "most"), TIFFS.values(), ids=TIFFS)
def test_a_tiff_is_seen_as_it_is_meant_also_where_pillow_does_not(data, expected, most):
    found = seen(data)
    assert measure(data) == found.shape[1::-1]
    assert np.abs(found - np.multiply(expected, 255)).max() <= most


def test_deep_planes_and_a_telephones_heic_keep_their_orientation():
    exif = Image.Exif()
    exif[0x0112] = 6
    heic = encoded(Image.new("RGB", (60, 40), ROSE), "HEIF", exif=exif.tobytes())
    for data in (written(SAMPLES, planes="separate", extratags=[(274, "H", 1, 6, True)]), heic):
        assert decode(data).shape == (60, 40, 3)
        assert measure(data) == (40, 60)


def test_the_small_first_page_of_a_tiff_is_not_the_picture_nor_is_a_half():
    small, whole = DEEP[::4, ::4].astype(np.uint8), (DEEP >> 8).astype(np.uint8)
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(small, photometric="rgb", subfiletype=1)
        file.write(whole, photometric="rgb")
    assert np.array_equal(decode(buffer.getvalue()), whole)
    assert measure(buffer.getvalue()) == (64, 48)
    with pytest.raises(InputError, match="TIFF of a kind that cannot be read here"):
        decode(written(small, subfiletype=1), "The photo")
    for data in (written(DEEP), written(DEEP, planes="separate"), written(LIGHT)):
        with pytest.raises(InputError, match=r"^The photo is"):
            decode(data[: len(data) // 2], "The photo")


def test_a_tiff_that_is_too_large_is_told_so_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(decoding, "MAX_PIXELS", 1000)
    monkeypatch.setattr(tifffile.TiffPage, "asarray", lambda page: pytest.fail("it was decoded"))
    with pytest.raises(InputError, match="million pixels; make it smaller first"):
        decode(written(LIGHT.astype(np.float16)), "The photo")
