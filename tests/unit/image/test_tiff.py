"""TIFFs beyond what Pillow reads right."""

from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from PIL import Image

from nst.errors import InputError
from nst.image.decoding import decode, measure

RNG = np.random.default_rng(0)
DEEP = RNG.integers(0, 65536, (48, 64, 3), dtype=np.uint16)


def written(samples: np.ndarray, **more: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, samples, **more)
    return buffer.getvalue()


def floats(pixels: np.ndarray) -> np.ndarray:
    return pixels / 255 if pixels.dtype == np.uint8 else pixels


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_sixteen_bits_in_colour(planes, compression):
    samples = DEEP if planes == "contig" else np.moveaxis(DEEP, -1, 0)
    data = written(samples, photometric="rgb", planarconfig=planes, compression=compression)
    assert measure(data) == (64, 48)
    assert np.abs(floats(decode(data)) - DEEP / 65535).max() < 1 / 250


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_white_as_zero_is_no_negative(kind):
    grey = (DEEP[..., 0] >> (8 if kind == np.uint8 else 0)).astype(kind)
    wanted = 1 - grey / np.iinfo(kind).max
    assert np.abs(floats(decode(written(grey, photometric="miniswhite")))[..., 1] - wanted).max() < 1 / 250


def test_highlights_above_white_do_not_make_it_black_and_white():
    slope = np.tile(np.linspace(0, 1.3, 64, dtype=np.float32), (48, 1))
    assert np.abs(decode(written(slope))[..., 0] - slope.clip(0, 1)).max() < 1e-3


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.uint32])
def test_kinds_of_samples_that_pillow_refuses(kind):
    light = DEEP / 65535
    samples = (light * (np.iinfo(kind).max if kind == np.uint32 else 1)).astype(kind)
    data = written(samples, photometric="rgb")
    assert measure(data) == (64, 48)
    assert np.abs(floats(decode(data)) - light).max() < 1 / 200


def test_a_small_first_page_is_not_the_picture():
    small, whole = DEEP[::4, ::4].astype(np.uint8), (DEEP >> 8).astype(np.uint8)
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(small, photometric="rgb", subfiletype=1)
        file.write(whole, photometric="rgb")
    assert np.array_equal(decode(buffer.getvalue()), whole)
    assert measure(buffer.getvalue()) == (64, 48)
    with pytest.raises(InputError, match="TIFF of a kind that cannot be read here"):
        decode(written(small, photometric="rgb", subfiletype=1), "The photo")


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9])
def test_what_is_cut_off_is_one_sentence(cut):
    for data in (
        written(DEEP, photometric="rgb", planarconfig="contig"),
        written(DEEP.astype(np.float32), photometric="rgb"),
    ):
        with pytest.raises(InputError) as caught:
            decode(data[: int(len(data) * cut)], "The photo")
        assert str(caught.value).startswith("The photo")


@pytest.mark.parametrize("lost", [1, 20, 100])
def test_a_jpeg_without_its_last_bytes_is_taken_as_browsers_do(lost):
    rows = np.linspace(0, 255, 300)[:, None, None] * np.ones((1, 400, 3))
    noisy = (rows + RNG.normal(0, 20, rows.shape)).clip(0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noisy).save(buffer, "JPEG", quality=92)
    whole, cut = decode(buffer.getvalue()), decode(buffer.getvalue()[:-lost])
    assert np.array_equal(whole[:280], cut[:280])
    with pytest.raises(InputError, match="damaged"):
        decode(buffer.getvalue()[: len(buffer.getvalue()) // 2])


@pytest.mark.parametrize("name", ["photo.heic", "photo.jpg"])
def test_a_telephones_heic(name, tmp_path):
    import pillow_heif

    image = Image.new("RGB", (96, 64), (200, 100, 40))
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / name
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer, quality=90, exif=exif.tobytes())
    path.write_bytes(buffer.getvalue())
    assert measure(path) == (64, 96)
    pixels = decode(path)
    assert pixels.shape == (96, 64, 3)
    assert pixels[48, 32] == pytest.approx([200, 100, 40], abs=6)


def test_four_planes_of_ink_are_not_taken_for_light():
    ink = np.zeros((4, 48, 64), np.uint16)
    assert (decode(written(ink, photometric="separated", planarconfig="separate"), "The photo") == 255).all()


def test_one_that_is_too_large_is_told_so_before_it_is_decoded():
    huge = written(np.zeros((9000, 8000, 3), np.float16), photometric="rgb", compression="zlib")
    with pytest.raises(InputError, match="72 million pixels"):
        decode(huge, "The photo")
