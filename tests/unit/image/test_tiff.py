"""TIFFs beyond what Pillow reads right, and a telephone's HEIC."""

from __future__ import annotations

import gc
import io
import warnings

import numpy as np
import pytest
import tifffile
from corpus import encoded
from PIL import Image
from test_files import GREEN, ROSE, seen, swapping

from nst.errors import InputError
from nst.image import decoding
from nst.image.decoding import decode, measure

DEEP = np.random.default_rng(0).integers(0, 65536, (48, 64, 3), dtype=np.uint16)
LIGHT = DEEP / 65535
SAMPLES = np.full((40, 60, 3), np.array(ROSE) * 257, np.uint16)
HALF = np.full((40, 60, 1), 32768, np.uint16)


def written(samples: np.ndarray, planes: str = "contig", **more: object) -> bytes:
    """Return a TIFF, of colours unless it is said of what."""
    buffer = io.BytesIO()
    ordered = np.moveaxis(samples, -1, 0) if planes == "separate" else samples
    how = {"photometric": "rgb", **more}
    tifffile.imwrite(buffer, ordered, planarconfig=planes if samples.ndim == 3 else None, **how)
    return buffer.getvalue()


GREY = DEEP[..., 0]
SLOPE = np.tile(np.linspace(0, 1.3, 64, dtype=np.float32), (48, 1))
INKS = np.full((40, 60, 4), (0, 65535, 0, 0), np.uint16)
MULTIPLIED = np.concatenate([SAMPLES // 2, HALF], axis=2)
HALF_GREY = np.concatenate([HALF, HALF], axis=2)
# Each with what is seen, from 0 to 1, and how many bytes from it.
FILES = {
    **{
        f"16 bits, {planes}, {how}": (written(DEEP, planes, compression=how), LIGHT, 1)
        for planes in ("contig", "separate")
        for how in (None, "zlib")
    },
    **{kind: (written(LIGHT.astype(kind)), LIGHT, 1) for kind in ("float16", "float32", "float64")},
    "32 bits": (written((LIGHT * (2**32 - 1)).astype(np.uint32)), LIGHT, 1),
    "white as zero": (written(GREY, photometric="miniswhite"), 1 - LIGHT[..., :1], 1),
    "white as zero, 8 bits": (
        written((GREY >> 8).astype(np.uint8), photometric="miniswhite"),
        1 - (DEEP[..., :1] >> 8) / 255,
        1,
    ),
    # Highlights above white do not make it black and white.
    "highlights": (written(SLOPE, photometric="minisblack"), SLOPE[..., None].clip(0, 1), 0.3),
    "a profile": (written(SAMPLES, iccprofile=swapping()), np.divide(GREEN, 255), 3),
    "a profile, planes": (written(SAMPLES, "separate", iccprofile=swapping()), np.divide(GREEN, 255), 3),
    "colours times alpha": (
        written(MULTIPLIED, "separate", extrasamples=["assocalpha"]),
        np.divide(ROSE, 510) + 0.5,
        3,
    ),
    "alpha": (written(HALF_GREY, photometric="minisblack", extrasamples=["unassalpha"]), 0.751, 3),
    # Planes of ink are not taken for light.
    "ink": (written(INKS, "separate", photometric="separated"), (1, 0, 1), 40),
}


@pytest.mark.parametrize("name", FILES)
def test_it_is_seen_as_it_is_meant(name):
    data, expected, most = FILES[name]
    found = seen(data)
    assert measure(data) == found.shape[1::-1]
    assert np.abs(found - np.multiply(expected, 255)).max() <= most


@pytest.mark.parametrize("planes", ["separate", "contig"])
def test_a_deep_tiff_keeps_its_orientation(planes):
    data = written(SAMPLES, planes, extratags=[(274, "H", 1, 6, True)])
    assert decode(data).shape == (60, 40, 3)
    assert measure(data) == (40, 60)


def test_no_file_is_left_open(tmp_path):
    path = tmp_path / "deep.tif"
    path.write_bytes(written(SAMPLES, "separate"))
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        decode(path)
        gc.collect()


def test_a_small_first_page_is_not_the_picture():
    small, whole = DEEP[::4, ::4].astype(np.uint8), (DEEP >> 8).astype(np.uint8)
    buffer = io.BytesIO()
    with tifffile.TiffWriter(buffer) as file:
        file.write(small, photometric="rgb", subfiletype=1)
        file.write(whole, photometric="rgb")
    assert np.array_equal(decode(buffer.getvalue()), whole)
    assert measure(buffer.getvalue()) == (64, 48)
    with pytest.raises(InputError, match="TIFF of a kind that cannot be read here"):
        decode(written(small, subfiletype=1), "The photo")


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_what_is_cut_off_is_one_sentence(cut, kind):
    data = written(DEEP.astype(kind))
    with pytest.raises(InputError, match=r"^The photo"):
        decode(data[: int(len(data) * cut)], "The photo")


@pytest.mark.parametrize("name", ["photo.heic", "photo.jpg"])
def test_a_telephones_heic(name, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / name
    path.write_bytes(encoded(Image.new("RGB", (96, 64), ROSE), "HEIF", quality=90, exif=exif.tobytes()))
    assert measure(path) == (64, 96)
    assert decode(path).shape == (96, 64, 3)
    assert np.abs(seen(path) - ROSE).max() <= 6


def test_one_that_is_too_large_is_told_so_before_it_is_decoded(monkeypatch):
    monkeypatch.setattr(decoding, "MAX_PIXELS", 1000)
    monkeypatch.setattr(tifffile.TiffPage, "asarray", lambda page: pytest.fail("it was decoded"))
    with pytest.raises(InputError, match="million pixels; make it smaller first"):
        decode(written(LIGHT.astype(np.float16)), "The photo")
