"""TIFFs that Pillow misreads or refuses: deep planes, white as zero, several floating point channels."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image

from nst.errors import InputError

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
# Tags of a page.
_SUBFILE, _BITS, _PHOTOMETRIC, _ORIENTATION, _PLANES, _PROFILE = 254, 258, 262, 274, 284, 34675
_MOST_PAGES = 32
# Floats above 1 are highlights up to this; larger ones mean another scale.
HIGHLIGHTS = 10.0


class UnreadableError(Exception):
    """A TIFF of a kind that cannot be read here."""


def is_misread(opened: Image.Image) -> bool:
    """Return whether Pillow reads a TIFF wrongly."""
    tags = getattr(opened, "tag_v2", {})
    bits = tags.get(_BITS, (1,))
    deep = max(bits if isinstance(bits, tuple) else (bits,)) > 8
    return deep and (tags.get(_PLANES, 1) == 2 or tags.get(_PHOTOMETRIC) == 0)


def whole_page(opened: Image.Image) -> None:
    """Make Pillow use the first page that is no thumbnail, as cameras put one first.

    Raises:
        UnreadableError: there is none.
    """
    tags = getattr(opened, "tag_v2", None)
    if tags is None or not int(tags.get(_SUBFILE, 0)) & 1:
        return
    for page in range(1, _MOST_PAGES):
        try:
            opened.seek(page)
        except EOFError:
            break
        if not int(getattr(opened, "tag_v2", {}).get(_SUBFILE, 0)) & 1:
            return
    raise UnreadableError


def read(source: str | Path | bytes | IO[bytes], check: Callable[[int, int], None]) -> Image.Image | None:
    """Return the first page of a TIFF as a picture in mode RGB, RGBA or F; None if it is no TIFF.

    Args:
        source: the file.
        check: is given width and height before anything is decoded, to refuse them.

    Raises:
        InputError: what `check` raises.
        UnreadableError: it is of a kind that cannot be read here either.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    if isinstance(file, str | Path):
        with Path(file).open("rb") as opened:
            return read(opened, check)
    file.seek(0)
    if file.read(4) not in _MAGIC:
        return None
    import tifffile  # late, as few need it

    file.seek(0)
    try:
        with tifffile.TiffFile(file) as whole:
            page = whole.pages.first
            check(page.imagewidth, page.imagelength)
            if page.photometric not in (0, 1, 2, 5):  # grey either way, RGB, CMYK
                raise UnreadableError
            samples = page.asarray()
            if page.planarconfig == 2 and samples.ndim == 3 and samples.shape[0] == page.samplesperpixel:
                samples = np.moveaxis(samples, 0, -1)
            associated = tuple(page.extrasamples)[:1] == (1,)
            found = _as_picture(np.squeeze(samples), int(page.photometric), associated=associated)
            exif = Image.Exif()
            exif[_ORIENTATION] = int(page.tags.valueof(_ORIENTATION, default=1))
            found.info["exif"] = exif.tobytes()
            if profile := page.tags.valueof(_PROFILE):
                found.info["icc_profile"] = bytes(profile)
            return found
    except (UnreadableError, InputError):
        raise
    except Exception as error:  # of a dozen kinds, or a compression that needs another library
        raise UnreadableError from error


def _as_picture(samples: np.ndarray, photometric: int, *, associated: bool) -> Image.Image:
    if samples.ndim not in (2, 3) or samples.dtype.kind not in "uf":
        raise UnreadableError
    light = samples.astype(np.float32)
    if samples.dtype.kind == "u":
        light /= np.iinfo(samples.dtype).max
    else:
        light = np.nan_to_num(light, posinf=0.0, neginf=0.0)
        light /= white_of(float(light.max(initial=0.0)))
    light = light.clip(0, 1)
    if light.ndim == 2:
        return Image.fromarray(1 - light if photometric == 0 else light)
    colours = {0: 1, 1: 1, 2: 3, 5: 4}[photometric]
    if light.shape[-1] < colours:
        raise UnreadableError
    shown, alpha = light[..., :colours], light[..., colours : colours + 1]
    if photometric == 5:  # extra channels are ignored, as by Pillow
        return Image.fromarray((shown * 255).round().astype(np.uint8), "CMYK")
    if photometric == 0:
        shown = 1 - shown
    if associated and alpha.size:  # the colours were multiplied by it
        shown = np.divide(shown, alpha, out=np.zeros_like(shown), where=alpha > 0).clip(0, 1)
    pixels = (np.concatenate([shown, alpha], axis=2) * 255).round().astype(np.uint8)
    return Image.fromarray(pixels, {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[pixels.shape[2]])


def white_of(top: float) -> float:
    """Return what white is in a file of floats, which does not say so.

    Args:
        top: the largest sample.
    """
    return next(
        (scale for scale, most in ((1.0, HIGHLIGHTS), (255.0, 255.0), (65535.0, 65535.0)) if top <= most), top
    )
