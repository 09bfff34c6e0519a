from __future__ import annotations

import io
import struct
import warnings
import zlib

import numpy as np
import pytest
import torch
from conftest import ROOT, picture
from PIL import Image, ImageCms

from nst.errors import IncompleteWarning, InputError
from nst.image.decoding import measure
from nst.image.picture_files import encode_jpeg, encode_png, load_image
from nst.image.tensors import MAX_SIDE, fit, fit_area, resize, to_pixels


def saved(image: Image.Image, kind: str, **more) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **more)
    return buffer.getvalue()


def mean(image: torch.Tensor) -> list[float]:
    return image.mean((0, 2, 3)).tolist()


def png_claiming(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that claims to be huge."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def test_pixels_arrive_as_they_are():
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    image = load_image(saved(Image.fromarray(pixels), "PNG"))
    assert image.shape == (1, 3, 20, 30)
    assert image.dtype == torch.float32
    assert np.array_equal(to_pixels(image), pixels)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF", "AVIF", "PPM", "TGA"])
def test_common_formats(kind):
    plain = Image.new("RGB", (40, 30), (200, 100, 40))
    assert mean(load_image(saved(plain, kind))) == pytest.approx([200 / 255, 100 / 255, 40 / 255], abs=0.02)


def test_every_way_to_hand_a_picture_over(tmp_path):
    path = tmp_path / "a.png"
    picture(30, 20).save(path)
    expected = load_image(path)
    for source in (str(path), path.read_bytes(), io.BytesIO(path.read_bytes()), Image.open(path)):
        assert torch.equal(load_image(source), expected)


def test_orientation_is_applied():
    image = Image.new("RGB", (40, 20), "black")
    image.paste("white", (0, 0, 20, 20))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter clockwise to be upright
    upright = load_image(saved(image, "PNG", exif=exif))
    assert upright.shape[-2:] == (40, 20)
    assert upright[..., :20, :].mean() == 1
    assert upright[..., 20:, :].mean() == 0


def test_broken_orientation_is_ignored():
    image = saved(picture(40, 20), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\xff\xff")
    assert load_image(image).shape[-2:] == (20, 40)


def test_transparency_is_laid_on_white():
    half = Image.new("RGBA", (32, 32), (255, 0, 0, 128))
    assert mean(load_image(saved(half, "PNG"))) == pytest.approx([1, 0.498, 0.498], abs=0.01)
    grey = Image.new("LA", (32, 32), (0, 128))
    assert mean(load_image(saved(grey, "PNG"))) == pytest.approx([0.498] * 3, abs=0.01)
    palette = Image.new("P", (32, 32), 1)
    palette.putpalette([0, 0, 0, 10, 200, 30])
    part = palette.copy()
    part.paste(0, (0, 0, 32, 16))
    assert mean(load_image(saved(part, "PNG", transparency=1))) == [0.5, 0.5, 0.5]
    assert mean(load_image(saved(palette, "PNG"))) == pytest.approx([10 / 255, 200 / 255, 30 / 255])


def test_sixteen_bits_are_scaled():
    ramp = Image.fromarray(np.full((32, 32), 32768, dtype=np.uint16))
    assert mean(load_image(saved(ramp, "PNG"))) == pytest.approx([0.5] * 3, abs=1e-3)
    assert mean(load_image(saved(ramp, "TIFF"))) == pytest.approx([0.5] * 3, abs=1e-3)


@pytest.mark.parametrize(("white", "value"), [(1.0, 0.5), (255.0, 127.5), (65535.0, 32767.5)])
def test_float_files_are_scaled_by_what_white_must_be(white, value):
    data = np.full((32, 32), value, dtype=np.float32)
    data[0, 0] = white
    data[1, 1] = np.nan
    assert mean(load_image(saved(Image.fromarray(data), "TIFF"))) == pytest.approx([0.5] * 3, abs=5e-3)


def test_grey_bitmap_and_cmyk():
    assert mean(load_image(saved(Image.new("L", (32, 32), 51), "PNG"))) == pytest.approx([0.2] * 3)
    assert mean(load_image(saved(Image.new("1", (32, 32), 1), "PNG"))) == [1, 1, 1]
    assert mean(load_image(saved(Image.new("CMYK", (32, 32), (0, 255, 255, 0)), "JPEG"))) == pytest.approx(
        [1, 0, 0], abs=0.02
    )


def test_a_colour_profile_is_converted():
    # In linear light, 0.2 is as bright as 0.48 in sRGB.
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ"))
    lab = ImageCms.createProfile("LAB")
    plain = Image.new("RGB", (32, 32), (51, 51, 51))
    with_profile = load_image(saved(plain, "PNG", icc_profile=linear_profile()))
    assert mean(with_profile) == pytest.approx([0.48] * 3, abs=0.03)
    for useless in (profile.tobytes(), ImageCms.ImageCmsProfile(lab).tobytes(), b"no profile at all"):
        assert mean(load_image(saved(plain, "PNG", icc_profile=useless))) == pytest.approx(
            [0.2] * 3, abs=0.02
        )


def linear_profile() -> bytes:
    """Return sRGB's profile with its tone curves replaced by straight lines."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", data[128:132])[0]
    for index in range(count):
        name, offset, _ = struct.unpack(">4sII", data[132 + 12 * index : 144 + 12 * index])
        if name in (b"rTRC", b"gTRC", b"bTRC"):
            data[offset : offset + 12] = b"curv" + b"\0" * 8  # a curve of no points is the identity
    return bytes(data)


def test_first_frame_of_an_animation():
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert mean(load_image(data)) == pytest.approx([1, 0, 0], abs=0.02)


def test_huge_pictures_are_reduced():
    image = load_image(saved(Image.new("RGB", (6000, 3000), "teal"), "JPEG"))
    assert max(image.shape[-2:]) <= MAX_SIDE
    assert image.shape[-1] == 2 * image.shape[-2]


BAD = {
    "nothing": (b"", "is an empty file"),
    "text": (b"hello there", "not a picture"),
    "svg": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
    "jxl": (b"\xff\x0a" + bytes(40), "is a JPEG XL"),
    "pdf": (b"%PDF-1.7 and so on", "is a PDF"),
    "one pixel": (saved(Image.new("RGB", (1, 1)), "PNG"), "too small"),
    "a line": (saved(Image.new("RGB", (2000, 1)), "PNG"), "too small"),
    "bomb": (png_claiming(13000, 13000), "million pixels"),
    "big bomb": (png_claiming(60000, 60000), "million pixels"),
    "truncated": (saved(picture(300, 300), "JPEG")[:2000], "damaged"),
    "truncated png": (saved(picture(300, 300), "PNG")[:3000], "damaged"),
    "png without its pixels": (png_claiming(500, 500), "damaged"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_gets_one_sentence(name):
    data, part = BAD[name]
    with pytest.raises(InputError, match=part) as caught:
        load_image(data, "The photo")
    message = str(caught.value)
    assert message.startswith("The photo")
    assert message.endswith(".")
    assert "\n" not in message


def test_rows_that_are_missing_are_told():
    whole = saved(picture(300, 300, seed=1), "JPEG", quality=95)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_image(whole)
    with pytest.warns(
        IncompleteWarning, match="The photo breaks off early: a part of its last rows is grey."
    ):
        load_image(whole[:-20], "The photo")
    with pytest.warns(IncompleteWarning, match=r"The photo breaks off early: its last \d+ rows are grey\."):
        pixels = to_pixels(load_image(whole[: -len(whole) // 25], "The photo"))
    assert (pixels[-1] == 128).all()


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
    assert "exif" not in jpeg.info
    assert "icc_profile" not in jpeg.info


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
    for path in (ROOT / "examples").glob("[ps]*/*.jpg"):  # photos and styles
        assert min(load_image(path).shape[-2:]) >= 290, path.name


def test_the_forecast_refuses_what_the_painting_would():
    huge = saved(Image.new("1", (12_000, 9_000)), "PNG")
    with pytest.raises(InputError, match="The photo has 108 million pixels"):
        measure(huge)
    with pytest.raises(InputError, match="too small to paint with"):
        measure(saved(Image.new("RGB", (2000, 8)), "PNG"))
