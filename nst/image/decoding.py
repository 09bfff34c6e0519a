"""Picture files into pixels as a person would see them; without torch, so that a process for it is small."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import IO

import numpy as np
import pillow_heif
from PIL import (
    AvifImagePlugin,  # noqa: F401 (each of these makes its format known)
    Image,
    ImageFile,
    ImageOps,
    PngImagePlugin,  # noqa: F401
    TgaImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

from nst.errors import IncompleteWarning, InputError
from nst.image import chunks, encodings, tiff
from nst.image.encodings import Encoding

MAX_PIXELS = 64_000_000
MIN_SIDE = 16
# Pillow knows dozens more; one of them runs another program, and each is one more decoder to attack.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "GIF", "BMP", "PPM", "TGA", "HEIF")
# Nothing larger is ever painted, so decoded pictures are brought down to it before they become colour floats.
MAX_SIDE = 4096

# Where the text of a painting stands in formats without names for texts.
EXIF_TEXT = {"Software": 0x0131, "Settings": 0x010E}

pillow_heif.register_heif_opener(thumbnails=False, decode_threads=1)
# The share of a JPEG's rows that may be missing at its end.
_MISSING = 0.05
# How many bytes of a PNG may come before its pixels.
_HEAD = 2**22
_ODD_TIFF = (
    "{label} is a TIFF of a kind that cannot be read here; save it as JPEG, PNG or as a TIFF of 8 or 16 bits."
)
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(
    source: str | Path | bytes | IO[bytes] | Image.Image,
    label: str = "The picture",
    ground: float = 1.0,
    least: int = MIN_SIDE,
    alpha: bool = False,
) -> np.ndarray:
    """Return a picture's pixels as a person would see them.

    The EXIF orientation is applied where browsers do so, colours converted to sRGB by the file's profile or a
    PNG's own chunks, transparency laid on `ground`, 16-bit and float samples scaled, grey, palette and CMYK
    converted, and of an animation the first frame taken. A JPEG whose end is missing is grey there.

    Args:
        source: a path, the bytes of a file, an open binary file or a Pillow image.
        label: how to call the picture in messages, such as "The photo".
        ground: what is behind transparent parts: 1 white, 0 black.
        least: pixels that it has to have on each side.
        alpha: return the alpha channel of a picture that has transparent parts, instead of laying them on
            `ground`.

    Returns:
        (H, W, 3), uint8 or float32 in [0, 1], at most 4096 on the longest side; with alpha (H, W, 4) float32.

    Warns:
        IncompleteWarning: rows are missing at its end.

    Raises:
        InputError: it is no picture, damaged, too small or too large.
    """
    opened = open_image(source, label)
    check_size(*opened.size, label, least)
    try:
        if opened.format == "JPEG":
            opened.draft(None, (MAX_SIDE, MAX_SIDE))  # decodes huge photos at half or quarter size
        missing = _load(opened)
        pixels = _to_rgb(_upright(opened), None if alpha else ground, _encoding(source, opened))
    except _InvisibleError as error:
        raise InputError(f"{label} is transparent throughout; export it with its colours.") from error
    except MemoryError as error:
        raise InputError(
            f"{label} does not fit into this machine's memory; make it smaller first."
        ) from error
    except Exception as error:  # as in `open_image`
        raise InputError(f"{label} is damaged or incomplete; save or download it again.") from error
    if missing is not None:
        rows = f"its last {missing} rows are" if missing > 1 else "a part of its last rows is"
        progressive = not missing and opened.info.get("progressive")
        lacks = "it is softer than it was" if progressive else f"{rows} grey"
        warnings.warn(f"{label} breaks off early: {lacks}.", IncompleteWarning, stacklevel=2)
    return pixels


def measure(source: str | Path | bytes, label: str = "The photo") -> tuple[int, int]:
    """Return (width, height) of a picture as it will be shown, from its header alone.

    Raises:
        InputError: it is no picture, too small or too large.
    """
    opened = open_image(source, label)
    check_size(*opened.size, label, MIN_SIDE)
    try:
        turned = _orientation(opened) in (5, 6, 7, 8)
    except Exception:  # broken EXIF, as in `_upright`
        turned = False
    return opened.size[::-1] if turned else opened.size


def check_size(width: int, height: int, label: str, least: int) -> None:
    """Refuse what is too large, or smaller than `least` on a side.

    Raises:
        InputError: saying which, and what to do.
    """
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{label} has {width * height / 1e6:.0f} million pixels;"
            f" make it smaller first, {MAX_PIXELS / 1e6:.0f} million are the most."
        )
    if min(width, height) < least:
        raise InputError(
            f"{label} is {width} x {height} pixels, which is too small to paint with;"
            f" use one with at least {least} pixels on each side."
        )


def _orientation(opened: Image.Image) -> int:
    """Return the EXIF orientation that Pillow has not yet applied to `size`."""
    if opened.format in (
        "TIFF",
        "WEBP",
        "HEIF",
    ):  # Pillow has applied it, no browser applies it, pillow_heif has applied it
        return 1
    # Pillow would decode all of a PNG to look for EXIF after its pixels, where no program puts it, and would
    # use XMP's orientation, as no browser does.
    exif = Image.Exif()
    if block := opened.info.get("exif"):
        exif.load(block)
    return exif.get(0x0112, 1)


def painting_text(source: str | Path | bytes | IO[bytes], label: str = "The picture") -> dict[str, str]:
    """Return the text entries of a PNG, or those that other formats hold in EXIF.

    Raises:
        InputError: it is no picture.
    """
    opened = open_image(source, label)
    if opened.format != "PNG":
        try:
            exif = opened.getexif()
        except Exception:  # broken EXIF, as in `_upright`
            return {}
        return {key: str(exif[tag]) for key, tag in EXIF_TEXT.items() if tag in exif}
    try:
        opened.load()  # text may come after the pixels
    except Exception:  # as in `open_image`
        return {}
    return {key: str(value) for key, value in getattr(opened, "text", {}).items()}


# By how they begin.
_OTHERS: dict[bytes, str] = {
    b"\xff\x0a": "a JPEG XL, which is not read here",
    b"\0\0\0\x0cJXL ": "a JPEG XL, which is not read here",
    b"\xff\x4f\xff": "a JPEG 2000, which is not read here",
    b"\0\0\0\x0cjP ": "a JPEG 2000, which is not read here",
    b"\0\0\1\0": "an icon",
    b"%PDF": "a PDF",
}


class _InvisibleError(Exception):
    """A picture is transparent throughout."""


def open_image(source: str | Path | bytes | IO[bytes] | Image.Image, label: str) -> Image.Image:
    """Open a picture without decoding its pixels.

    Raises:
        InputError: it is no picture, damaged, or claims to be enormous.
    """
    if isinstance(source, Image.Image):
        return source
    file = io.BytesIO(source) if isinstance(source, bytes) else source

    def check(width: int, height: int) -> None:
        check_size(width, height, label, 1)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the caller counts the pixels
            opened = Image.open(file, formats=FORMATS)
        if opened.format == "TIFF":
            tiff.whole_page(opened)
            if tiff.is_misread(opened) and (again := tiff.read(source, check)) is not None:
                if isinstance(source, str | Path):
                    opened.close()
                return again
        return opened
    except InputError:
        raise
    except tiff.UnreadableError as error:
        raise InputError(_ODD_TIFF.format(label=label)) from error
    except Image.DecompressionBombError as error:
        raise InputError(
            f"{label} claims more than {2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6:.0f} million pixels;"
            f" make it smaller first, {MAX_PIXELS / 1e6:.0f} million are the most."
        ) from error
    except UnidentifiedImageError as error:
        try:
            if (picture := tiff.read(file, check)) is not None:
                return picture
        except tiff.UnreadableError:
            raise InputError(_ODD_TIFF.format(label=label)) from error
        if (shown := chunks.shown_alone(_bytes_of(file))) is not None:
            return open_image(shown, label)
        if other := _other_kind(file):
            raise InputError(f"{label} is {other}.") from error
        raise InputError(
            f"{label} is not a picture that can be read here; use a JPEG, PNG, WebP, AVIF, HEIC, TIFF or GIF."
        ) from error
    except FileNotFoundError as error:
        raise InputError(f"{label} was not found: there is no file {Path(str(source)).name}.") from error
    except (IsADirectoryError, PermissionError) as error:
        raise InputError(
            f"{label} cannot be opened: {Path(str(source)).name} is no readable file."
        ) from error
    except Exception as error:  # decoders raise a dozen kinds, and plain RuntimeError among them
        if isinstance(error, ValueError) and (shown := chunks.shown_alone(_bytes_of(file))) is not None:
            return open_image(shown, label)
        raise InputError(f"{label} is damaged or incomplete; save or download it again.") from error


def _bytes_of(file: str | Path | IO[bytes], most: int = -1) -> bytes:
    """Return the bytes of a file, or its first ones."""
    if isinstance(file, str | Path):
        with Path(file).open("rb") as opened:
            return opened.read(most)
    file.seek(0)
    return file.read(most)


def _other_kind(file: str | Path | IO[bytes]) -> str:
    """Return what a file is that is no picture, and what to do about it; "" if that is not known."""
    head = _bytes_of(file, 1024)
    if not head:
        return "an empty file; choose another"
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return "a web page and no picture; save the picture itself"
    svg = "an SVG drawing" if b"<svg" in head else ""
    kind = svg or next((kind for start, kind in _OTHERS.items() if head.startswith(start)), "")
    return kind and f"{kind}; export it as PNG and use that"


def _load(opened: Image.Image) -> int | None:
    """Decode the pixels; of a JPEG whose last bytes are missing those that are there, as browsers do.

    Returns:
        How many whole rows are missing, None if nothing is.
    """
    try:
        opened.load()
        return None
    except OSError:
        if opened.format not in ("JPEG", "MPO") or not isinstance(opened, ImageFile.ImageFile):
            raise
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        try:
            opened.load()
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = False
        missing = _missing_rows(opened)
        if missing > _MISSING * opened.height:
            raise
        return missing


def _encoding(source: str | Path | bytes | IO[bytes] | Image.Image, opened: Image.Image) -> Encoding | None:
    """Return what a PNG, AVIF or HEIC says of its colours where Pillow does not look."""
    readers = {"PNG": encodings.of_png, "AVIF": encodings.of_heif, "HEIF": encodings.of_heif}
    read = readers.get(opened.format or "")
    if read is None or isinstance(source, Image.Image):
        return None
    if read is encodings.of_heif and opened.info.get("icc_profile"):
        return None
    return read(source if isinstance(source, bytes) else _bytes_of(source, _HEAD))


def _missing_rows(image: Image.Image) -> int:
    """Return how many rows at the end are the grey that a decoder leaves where it has read nothing."""
    grey = np.asarray(image.convert("RGB")) == 128
    filled = np.flatnonzero(~grey.reshape(len(grey), -1).all(1))
    return len(grey) - (int(filled[-1]) + 1 if len(filled) else 0)


def _upright(image: Image.Image) -> Image.Image:
    try:
        if image.format == "TIFF":
            return ImageOps.exif_transpose(image)
        turn = _TURNS.get(_orientation(image))
    except Exception:  # a broken EXIF block, for which Pillow raises many kinds; the pixels are good
        return image
    return image if turn is None else image.transpose(turn)


def _to_rgb(image: Image.Image, ground: float | None, encoding: Encoding | None) -> np.ndarray:
    """Return decoded pixels as (H, W, 3) float32 in [0, 1] or uint8; without a ground maybe (H, W, 4)."""
    profile, clear = image.info.get("icc_profile"), image.info.get("transparency")
    if isinstance(clear, tuple) and max(clear) > 255:  # of 16 bits, of which Pillow has made 8
        image.info["transparency"] = tuple(value >> 8 for value in clear)
    if image.mode.startswith("I;16") and isinstance(clear, int):
        grey = np.asarray(image)
        visible = Image.fromarray(grey != clear).convert("L")
        image = Image.merge("LA", [Image.fromarray((grey >> 8).astype(np.uint8)), visible])
    if image.mode == "F" or image.mode.startswith("I"):
        grey = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=0.0, neginf=0.0)
        top = float(grey.max(initial=0.0))
        # Float and 32-bit files do not say what white is: the smallest usual scale that holds all of it.
        if image.mode == "F":
            white = tiff.white_of(top)
        else:
            white = 65535.0 if image.mode.startswith("I;16") else max(255.0, tiff.white_of(top))
        smaller = np.asarray(_bounded(Image.fromarray(np.clip(grey / white, 0.0, 1.0)))).clip(0.0, 1.0)
        if profile:
            smaller = encodings.grey_with_profile(smaller, profile)
        rgb = np.repeat(smaller[..., None], 3, axis=2)
        return rgb if encoding is None else encodings.to_srgb(rgb, encoding)

    alpha = None
    if image.mode in ("LA", "La") and profile:
        image = _bounded(image.convert("LA"))
        alpha = np.asarray(image.getchannel("A"), dtype=np.float32)[..., None] / 255.0
        image = image.getchannel("L")
    elif image.has_transparency_data or image.mode in ("RGBa", "La"):
        if image.mode == "La":
            image = image.convert("LA")
        image = _bounded(image.convert("RGBA"))
        alpha = np.asarray(image.getchannel("A"), dtype=np.float32)[..., None] / 255.0
        image = image.convert("RGB")
    elif image.mode in ("P", "1", "HSV"):
        image = image.convert("RGB")
    image = _bounded(image)
    if profile and encoding is None:
        image = encodings.with_profile(image, profile)
    rgb = np.array(image.convert("RGB"))
    if encoding is not None:
        rgb = encodings.to_srgb(rgb, encoding)
    if alpha is None:
        return rgb
    if ground != 0 and not alpha.any():  # a mask may be all transparent
        raise _InvisibleError
    light = rgb.astype(np.float32) / 255.0 if rgb.dtype == np.uint8 else rgb
    if ground is None:
        return np.concatenate([light, alpha], axis=2) if alpha.min(initial=1.0) < 1 else light
    return light * alpha + ground * (1.0 - alpha)


def _bounded(image: Image.Image) -> Image.Image:
    """Return a picture of 8-bit samples or floats at `MAX_SIDE` at most."""
    if max(image.size) <= MAX_SIDE:
        return image
    return image.resize(fit(*image.size, MAX_SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0)


def fit(width: int, height: int, longest: int) -> tuple[int, int]:
    """Return (width, height) scaled, aspect ratio kept, so that the longer side is `longest` pixels."""
    scale = longest / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
