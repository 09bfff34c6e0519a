"""What a file's samples mean as colours: ICC profiles and a PNG's own chunks, all into sRGB.

PNG specification, third edition (2025), 4.3 and 11.3.2: cICP counts more than an ICC profile, that more than
sRGB, and that more than gAMA with cHRM. ITU-T H.273 for the numbers of a cICP.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_D65 = (0.3127, 0.3290)
_BT709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, *_D65)
# By H.273's number: x and y of red, green, blue and white.
_PRIMARIES: dict[int, tuple[float, ...]] = {
    1: _BT709,
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, 0.310, 0.316),
    5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65),
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
}
_ROWS = 128  # at a time, to hold few copies of a large picture as floats
# Nits of white (ITU-R BT.2408) and of the brightest highlight in HDR pictures.
_WHITE, _BRIGHTEST = 203.0, 1000.0


_Curve = Callable[[np.ndarray], np.ndarray]


class Encoding(NamedTuple):
    """How samples stand for light."""

    to_light: _Curve
    primaries: tuple[float, ...] = _BT709
    brightest: float = 1.0  # of what is to be seen, white being 1


def of_png(data: bytes) -> Encoding | None:
    """Return what the chunks of a PNG say, None if they say nothing or an ICC profile or sRGB counts.

    Args:
        data: the file, or its beginning up to the pixels.
    """
    chunks: dict[bytes, bytes] = {}
    at = 8
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if name in (b"IDAT", b"IEND") or length > len(data) - at - 12:
            break
        chunks.setdefault(name, data[at + 8 : at + 8 + length])
        at += 12 + length
    if len(code := chunks.get(b"cICP", b"")) == 4:
        found = of_code(code[0], code[1]) if code[2] == 0 else None
        return found or (Encoding(_srgb_to_light) if b"iCCP" in chunks and code[2] == 0 else None)
    if b"iCCP" in chunks or b"sRGB" in chunks:
        return None
    gamma, chroma = chunks.get(b"gAMA", b""), chunks.get(b"cHRM", b"")
    if len(gamma) != 4:  # without it browsers pass over cHRM
        return None
    to_light: _Curve = _srgb_to_light
    primaries: tuple[float, ...] = _BT709
    value = struct.unpack(">I", gamma)[0]
    # 45,455 stands for sRGB.
    if 1_000 <= value <= 1_000_000 and abs(value - 45_455) > 500:
        to_light = _power(100_000 / value)
    if len(chroma) == 32:
        white_x, white_y, *others = (number / 100_000 for number in struct.unpack(">8I", chroma))
        stated = (*others, white_x, white_y)
        if all(0 < number < 1 for number in stated) and _is_triangle(stated):
            primaries = stated
    if to_light is _srgb_to_light and primaries is _BT709:
        return None
    return Encoding(to_light, primaries)


def of_heif(data: bytes) -> Encoding | None:
    """Return what an AVIF or HEIC says by H.273's numbers (ISO/IEC 23008-12, the box "colr" of kind "nclx").

    Args:
        data: the file, or its beginning.
    """
    at = data.find(b"colrnclx")
    if at < 0 or len(data) < at + 12:
        return None
    primaries, transfer = struct.unpack_from(">HH", data, at + 8)
    return of_code(primaries, transfer)


def of_code(primaries: int, transfer: int) -> Encoding | None:
    """Return what H.273's numbers say, None if that is sRGB."""
    chosen = _PRIMARIES.get(primaries, _BT709)
    if transfer == 16:
        return Encoding(_pq_to_light, chosen, _BRIGHTEST / _WHITE)
    if transfer == 18:
        return Encoding(_hlg_to_light, chosen, _BRIGHTEST / _WHITE)
    television = dict.fromkeys((1, 6, 14, 15), _power(2.4))  # as its displays show it (ITU-R BT.1886)
    curves: dict[int, _Curve] = {**television, 4: _power(2.2), 5: _power(2.8), 8: _power(1.0)}
    to_light = curves.get(transfer, _srgb_to_light)
    if to_light is _srgb_to_light and chosen is _BT709:
        return None
    return Encoding(to_light, chosen)


def to_srgb(samples: np.ndarray, encoding: Encoding) -> np.ndarray:
    """Return pixels in sRGB.

    Args:
        samples: (H, W, 3) uint8, or floats in [0, 1].
        encoding: what they are in.

    Returns:
        (H, W, 3) float32 in [0, 1].
    """
    matrix = (np.linalg.inv(_to_xyz(_BT709)) @ _to_xyz(encoding.primaries)).astype(np.float32)
    found = np.empty(samples.shape, np.float32)
    for top in range(0, len(samples), _ROWS):
        rows = samples[top : top + _ROWS]
        rows = rows.astype(np.float32) / 255 if rows.dtype == np.uint8 else rows.astype(np.float32)
        light = encoding.to_light(rows) @ matrix.T
        if encoding.brightest > 1:
            light = _toned(light, encoding.brightest)
        found[top : top + _ROWS] = _light_to_srgb(light.clip(0, 1))
    return found


def with_profile(image: Image.Image, profile: bytes) -> Image.Image:
    """Return a picture in sRGB by an ICC profile; a broken one or of another colour model is ignored."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image


def grey_with_profile(grey: np.ndarray, profile: bytes) -> np.ndarray:
    """Return (H, W) floats in [0, 1] in sRGB by a profile for grey, which Pillow applies to bytes only."""
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    converted = with_profile(ramp, profile)
    if converted.mode != "RGB":
        return grey
    curve = np.asarray(converted, np.float32)[0].mean(-1) / 255
    return np.interp(grey, np.linspace(0, 1, 256), curve).astype(np.float32)


def _power(exponent: float) -> _Curve:
    def to_light(samples: np.ndarray) -> np.ndarray:
        return samples**exponent

    return to_light


def _srgb_to_light(samples: np.ndarray) -> np.ndarray:
    return np.where(samples <= 0.04045, samples / 12.92, ((samples + 0.055) / 1.055) ** 2.4)


def _light_to_srgb(light: np.ndarray) -> np.ndarray:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _pq_to_light(samples: np.ndarray) -> np.ndarray:
    """SMPTE ST 2084: absolute brightness, here with reference white as 1."""
    powered = samples ** (1 / 78.84375)
    nits = 10_000 * (np.maximum(powered - 0.8359375, 0) / (18.8515625 - 18.6875 * powered)) ** (
        1 / 0.1593017578125
    )
    return nits / _WHITE


def _hlg_to_light(samples: np.ndarray) -> np.ndarray:
    """ITU-R BT.2100: of the scene, then as a display of 1,000 nits shows it."""
    bright = (np.exp((samples - 0.55991073) / 0.17883277) + 0.28466892) / 12
    scene = np.where(samples <= 0.5, samples**2 / 3, bright)
    luma = scene @ np.array([0.2627, 0.6780, 0.0593], np.float32)
    return scene * np.maximum(luma, 1e-6)[..., None] ** 0.2 * (_BRIGHTEST / _WHITE)


def _toned(light: np.ndarray, brightest: float) -> np.ndarray:
    """Return light whose brightest is 1, by Reinhard's curve on the largest channel (2002, equation 4)."""
    most = light.max(-1, keepdims=True).clip(0, None)
    return light * (1 + most / brightest**2) / (1 + most)


def _is_triangle(primaries: tuple[float, ...]) -> bool:
    rx, ry, gx, gy, bx, by = primaries[:6]
    return abs((gx - rx) * (by - ry) - (bx - rx) * (gy - ry)) > 1e-3


def _to_xyz(primaries: tuple[float, ...]) -> np.ndarray:
    """Return the matrix from linear RGB to XYZ, white adapted to D65 (Bradford)."""
    columns = np.array(
        [[x / y, 1, (1 - x - y) / y] for x, y in zip(primaries[0:6:2], primaries[1:6:2], strict=True)]
    ).T
    white = np.array([primaries[6] / primaries[7], 1, (1 - primaries[6] - primaries[7]) / primaries[7]])
    matrix = columns * np.linalg.solve(columns, white)
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
    d65 = np.array([_D65[0] / _D65[1], 1, (1 - _D65[0] - _D65[1]) / _D65[1]])
    scale = np.diag((bradford @ d65) / (bradford @ white))
    return np.linalg.inv(bradford) @ scale @ bradford @ matrix
