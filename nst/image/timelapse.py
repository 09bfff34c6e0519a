"""A painting's frames as a film."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TypeVar

import numpy as np
from PIL import Image

from nst.image.film import as_film
from nst.image.tensors import fit
from nst.image.transparency import pixels_on_white

_Frame = TypeVar("_Frame")

# A whole painting in a few seconds, and time to look at the finished picture.
_SECONDS, _HELD = 6.0, 2.0
_SLOWEST, _FASTEST = 4, 24
_LONGEST = {"mp4": 1024, "webp": 512}


def as_mp4(frames: Iterable[np.ndarray]) -> bytes:
    """Return frames as an H.264 film that browsers and messengers play.

    Args:
        frames: (H, W, 3) uint8 each, of any sizes; all take the last one's, at most 1,024 px and even.

    Raises:
        ValueError: there are no frames.
    """
    pictures = _alike(frames, _LONGEST["mp4"], even=True)
    rate = _rate(len(pictures))
    pictures += [pictures[-1]] * round(_HELD * rate)
    return as_film(map(np.asarray, pictures), Fraction(rate))


def as_webp(frames: Iterable[np.ndarray]) -> bytes:
    """Return frames as an animated WebP of at most 512 px, for pages where a film does not fit.

    Raises:
        ValueError: there are no frames.
    """
    pictures = _alike(frames, _LONGEST["webp"])
    rate = _rate(len(pictures))
    times = [round(1000 / rate)] * (len(pictures) - 1) + [round(1000 * _HELD)]
    buffer = io.BytesIO()
    first, *others = pictures
    first.save(
        buffer, "WEBP", save_all=True, append_images=others, duration=times, loop=0, quality=80, method=2
    )
    return buffer.getvalue()


def _alike(frames: Iterable[np.ndarray], longest: int, *, even: bool = False) -> list[Image.Image]:
    """Return frames as pictures of one size: the last one's, if that is not larger than `longest`."""
    pictures = [Image.fromarray(pixels_on_white(frame)) for frame in frames]
    if not pictures:
        raise ValueError("there are no frames to make a film of")
    width, height = pictures[-1].size
    width, height = fit(width, height, min(longest, max(width, height)))
    if even:  # as the colours of the film have half the size
        width, height = max(2, width // 2 * 2), max(2, height // 2 * 2)
    return [picture.resize((width, height), Image.Resampling.BICUBIC) for picture in pictures]


def _rate(count: int) -> int:
    """Return frames per second that show `count` frames in about six seconds."""
    return int(min(_FASTEST, max(_SLOWEST, round(count / _SECONDS))))


def thinned(frames: Sequence[_Frame], most: int) -> list[_Frame]:
    """Return at most `most` of `frames`, evenly spread, first and last among them."""
    if len(frames) <= most:
        return list(frames)
    step = (len(frames) - 1) / (most - 1)
    return [frames[round(place * step)] for place in range(most)]
