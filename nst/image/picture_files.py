"""Picture files: decoded as tensors, encoded from pixels."""

from __future__ import annotations

import io
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image, PngImagePlugin
from torch import Tensor

from nst.image.decoding import EXIF_TEXT, MIN_SIDE, decode
from nst.image.tensors import to_tensor
from nst.image.transparency import pixels_on_white


def load_image(
    source: str | Path | bytes | IO[bytes] | Image.Image,
    label: str = "The picture",
    ground: float = 1.0,
    least: int = MIN_SIDE,
    alpha: bool = False,
) -> Tensor:
    """Decode a picture into float RGB as a person would see it.

    Args:
        source: a path, the bytes of a file, an open binary file or a Pillow image.
        label: how to call the picture in messages.
        ground: what is behind transparent parts: 1 white, 0 black.
        least: pixels that it has to have on each side.
        alpha: return an alpha channel, if the picture has transparent parts.

    Returns:
        (1, 3, H, W) float32 in [0, 1], at most 4096 on the longest side; (1, 4, H, W) with an alpha channel.

    Raises:
        InputError: it is no picture, damaged, too small or too large.
    """
    return to_tensor(decode(source, label, ground, least, alpha))


def encode_png(pixels: np.ndarray, text: dict[str, str] | None = None) -> bytes:
    """Return (H, W, 3) or (H, W, 4) uint8 pixels as a PNG file that carries `text` and nothing else."""
    info = PngImagePlugin.PngInfo()
    for key, value in (text or {}).items():
        info.add_itxt(key, value)
    buffer = io.BytesIO()
    # Pillow's own choice of compression takes three times as long and gives a file of the same size.
    Image.fromarray(pixels).save(buffer, "PNG", pnginfo=info, compress_type=zlib.Z_RLE)
    return buffer.getvalue()


def encode_jpeg(pixels: np.ndarray, quality: int = 85) -> bytes:
    """Return (H, W, 3) uint8 pixels as a JPEG file, (H, W, 4) laid on white."""
    buffer = io.BytesIO()
    Image.fromarray(pixels_on_white(pixels)).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


# The formats that a picture can be saved in, by the ending of its name, with their options.
_KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    ".png": ("PNG", {}),
    ".jpg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".jpeg": ("JPEG", {"quality": 95, "subsampling": 0}),
    ".webp": ("WEBP", {"quality": 92}),
    ".tif": ("TIFF", {"compression": "tiff_lzw"}),
    ".tiff": ("TIFF", {"compression": "tiff_lzw"}),
}
PICTURES = tuple(_KINDS)


def encode_picture(pixels: np.ndarray, suffix: str, text: Mapping[str, str]) -> bytes:
    """Return uint8 pixels as a file that carries `text`, as far as its format can.

    Args:
        pixels: (H, W, 3), or with an alpha channel (H, W, 4), which a JPEG has laid on white.
        suffix: of its name, one of `PICTURES`.
        text: entries, in formats other than PNG stored as EXIF.

    Raises:
        OSError: the picture is larger than the format can hold.
    """
    kind, how = _KINDS[suffix.lower()]
    if kind == "PNG":
        return encode_png(pixels, dict(text))
    exif, buffer = Image.Exif(), io.BytesIO()
    for key, tag in EXIF_TEXT.items():
        if key in text:
            exif[tag] = text[key]
    shown = pixels_on_white(pixels) if kind == "JPEG" else pixels
    Image.fromarray(shown).save(buffer, kind, exif=exif, **how)
    return buffer.getvalue()
