"""Small pictures that tests paint, send and break."""

import io

import numpy as np
from PIL import Image


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    """Return a colourful picture with smooth parts and edges."""
    generator = np.random.default_rng(seed)
    small = Image.fromarray(generator.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    return small.resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, form: str, **more: object) -> bytes:
    """Return a picture as a file."""
    buffer = io.BytesIO()
    image.save(buffer, form, **more)
    return buffer.getvalue()


def jpeg(width: int = 120, height: int = 80, seed: int = 0) -> bytes:
    """Return a small photo as a file."""
    return encoded(picture(width, height, seed), "JPEG", quality=90)
