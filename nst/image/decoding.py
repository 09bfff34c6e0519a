"""Picture files into pixels as a person would see them; without torch, so that a process for it is small."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import IO

import numpy as np
from PIL import (
    AvifImagePlugin,  # noqa: F401 (each of these makes its format known)
    Image,
    ImageCms,
    ImageOps,
    PngImagePlugin,  # noqa: F401
    TgaImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    UnidentifiedImageError,
    WebPImagePlugin,  # noqa: F401
)

from nst.errors import InputError

MAX_PIXELS = 64_000_000
MIN_SIDE = 16
# Pillow knows dozens more; one of them runs another program, and each is one more decoder to attack.
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "GIF", "BMP", "PPM", "TGA")
# Nothing larger is ever painted, so decoded pictures are brought down to it before they become colour floats.
MAX_SIDE = 4096

# Where the text of a painting stands in formats without names for texts.
EXIF_TEXT = {"Software": 0x0131, "Settings": 0x010E}

_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def decode(
    source: str | Path | bytes | IO[bytes] | Image.Image, what: str = "The picture", ground: float = 1.0
) -> np.ndarray:
    """Return a picture's pixels as a person would see them.

    The EXIF orientation is applied, an ICC profile converted to sRGB, transparency laid on `ground`, 16-bit
    and float samples scaled, grey, palette and CMYK converted, and of an animation the first frame taken.

    Args:
        source: a path, the bytes of a file, an open binary file or a Pillow image.
        what: how to call the picture in messages, such as "The photo".
        ground: what is behind transparent parts: 1 white, 0 black.

    Returns:
        (H, W, 3), uint8 or float32 in [0, 1], at most 4096 on the longest side.

    Raises:
        InputError: it is no picture, damaged, too small or too large.
    """
    opened = open_image(source, what)
    width, height = opened.size
    if width * height > MAX_PIXELS:
        raise InputError(
            f"{what} has {width * height / 1e6:.0f} million pixels;"
            f" make it smaller first, {MAX_PIXELS / 1e6:.0f} million are the most."
        )
    if min(width, height) < MIN_SIDE:
        raise InputError(
            f"{what} is {width} x {height} pixels, which is too small to paint with;"
            f" use one with at least {MIN_SIDE} pixels on each side."
        )
    try:
        if opened.format == "JPEG":
            opened.draft(None, (MAX_SIDE, MAX_SIDE))  # decodes huge photos at half or quarter size
        opened.load()
        return _to_rgb(_upright(opened), ground)
    except MemoryError as error:
        raise InputError(f"{what} does not fit into this machine's memory; make it smaller first.") from error
    except Exception as error:  # as in `open_image`
        raise InputError(f"{what} is damaged or incomplete; save or download it again.") from error


def measure(source: str | Path | bytes, what: str = "The photo") -> tuple[int, int]:
    """Return (width, height) of a picture as it will be shown, from its header alone.

    Raises:
        InputError: it is no picture.
    """
    opened = open_image(source, what)
    try:
        turned = _orientation(opened) in (5, 6, 7, 8)
    except Exception:  # as for `_upright`
        turned = False
    return opened.size[::-1] if turned else opened.size


def _orientation(opened: Image.Image) -> int:
    """Return the EXIF orientation that Pillow has not yet applied to `size`."""
    if opened.format == "TIFF":
        return 1
    if opened.format != "PNG":
        return opened.getexif().get(0x0112, 1)
    # Pillow decodes all of a PNG to look for EXIF behind its pixels, where no camera and no program puts it.
    exif = Image.Exif()
    if block := opened.info.get("exif"):
        exif.load(block)
    return exif.get(0x0112, 1)


def painting_text(source: str | Path | bytes | IO[bytes], what: str = "The picture") -> dict[str, str]:
    """Return the text entries of a PNG, or what of them other formats hold in EXIF.

    Raises:
        InputError: it is no picture.
    """
    opened = open_image(source, what)
    if opened.format != "PNG":
        try:
            exif = opened.getexif()
        except Exception:  # as for `_upright`
            return {}
        return {key: str(exif[tag]) for key, tag in EXIF_TEXT.items() if tag in exif}
    try:
        opened.load()  # text may come after the pixels
    except Exception:  # as in `open_image`
        return {}
    return {key: str(value) for key, value in getattr(opened, "text", {}).items()}


def open_image(source: str | Path | bytes | IO[bytes] | Image.Image, what: str) -> Image.Image:
    """Open a picture without decoding its pixels.

    Raises:
        InputError: it is no picture, damaged, or claims to be enormous.
    """
    if isinstance(source, Image.Image):
        return source
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the caller counts the pixels
            return Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise InputError(
            f"{what} claims more than {2 * (Image.MAX_IMAGE_PIXELS or 0) / 1e6:.0f} million pixels;"
            f" make it smaller first, {MAX_PIXELS / 1e6:.0f} million are the most."
        ) from error
    except UnidentifiedImageError as error:
        if _looks_like_svg(file):
            raise InputError(f"{what} is an SVG drawing; export it as PNG and use that.") from error
        raise InputError(
            f"{what} is not a picture that can be read here; use a JPEG, PNG, WebP, AVIF, TIFF, GIF or BMP."
        ) from error
    except FileNotFoundError as error:
        raise InputError(f"{what} was not found: there is no file {Path(str(source)).name}.") from error
    except (IsADirectoryError, PermissionError) as error:
        raise InputError(f"{what} cannot be opened: {Path(str(source)).name} is no readable file.") from error
    except Exception as error:  # decoders raise a dozen kinds, and plain RuntimeError among them
        raise InputError(f"{what} is damaged or incomplete; save or download it again.") from error


def _looks_like_svg(file: str | Path | IO[bytes]) -> bool:
    if isinstance(file, str | Path):
        with Path(file).open("rb") as opened:
            return b"<svg" in opened.read(1024)
    file.seek(0)
    return b"<svg" in file.read(1024)


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # EXIF blocks are broken in more ways than Pillow names; the pixels are still good
        return image


def _to_rgb(image: Image.Image, ground: float) -> np.ndarray:
    """Return decoded pixels as (H, W, 3) float32 in [0, 1] or uint8."""
    if image.mode == "F" or image.mode.startswith("I"):
        grey = np.nan_to_num(np.asarray(image, dtype=np.float32), posinf=0.0, neginf=0.0)
        top = float(grey.max(initial=0.0))
        # Float and 32-bit files do not say what white is: the smallest usual scale that holds all of it.
        white = (
            65535.0
            if image.mode.startswith("I;16")
            else next(
                (
                    scale
                    for scale in (1.0, 255.0, 65535.0)
                    if top <= scale and (scale > 1 or image.mode == "F")
                ),
                top,
            )
        )
        smaller = _bounded(Image.fromarray(np.clip(grey / white, 0.0, 1.0)))
        return np.repeat(np.clip(np.asarray(smaller), 0.0, 1.0)[..., None], 3, axis=2)

    profile = image.info.get("icc_profile")
    alpha = None
    if image.has_transparency_data or image.mode in ("RGBa", "La"):
        if image.mode == "La":
            image = image.convert("LA")
        image = _bounded(image.convert("RGBA"))
        alpha = np.asarray(image.getchannel("A"), dtype=np.float32)[..., None] / 255.0
        image = image.convert("RGB")
    elif image.mode in ("P", "1", "HSV"):
        image = image.convert("RGB")
    image = _bounded(image)
    if profile:
        image = _to_srgb(image, profile)
    rgb = np.array(image.convert("RGB"))
    return rgb if alpha is None else rgb.astype(np.float32) / 255.0 * alpha + ground * (1.0 - alpha)


def _bounded(image: Image.Image) -> Image.Image:
    """Return a picture of 8-bit samples or floats no larger than is ever painted."""
    if max(image.size) <= MAX_SIDE:
        return image
    return image.resize(fit(*image.size, MAX_SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0)


def _to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Return `image` in sRGB; a profile that is broken or of another colour model is ignored."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image


def fit(width: int, height: int, longest: int) -> tuple[int, int]:
    """Return (width, height) scaled, aspect ratio kept, so that the longer side is `longest` pixels."""
    scale = longest / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))
