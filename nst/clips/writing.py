"""A painted clip as a file: MP4, animated WebP or GIF, by the ending of its name."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from nst.clips.reading import Clip
from nst.clips.sound import with_sound
from nst.image.film import as_film
from nst.image.saving import save

KINDS = (".mp4", ".webp", ".gif")


def write_clip(frames: Iterator[np.ndarray], clip: Clip, path: Path) -> int:
    """Write frames as they come; return how many there were.

    An MP4 keeps the sound of a film; the others begin again at their end where the clip does.

    Args:
        frames: (H, W, 3) uint8 each, of one size, at least one.
        clip: what they were painted from.
        path: of the file, which is whole or as it was before.

    Raises:
        NotSavedError: it cannot be written there.
    """
    count = 0

    def counted() -> Iterator[np.ndarray]:
        nonlocal count
        for pixels in frames:
            count += 1
            yield pixels

    if path.suffix.lower() == ".mp4":
        data = as_film(counted(), clip.rate)
        save(data if clip.animation else with_sound(data, clip.source), path)
    else:
        save(as_animation(counted(), clip.rate, path.suffix[1:].upper(), clip.loops), path)
    return count


def as_animation(frames: Iterable[np.ndarray], rate: Fraction, kind: str, loops: bool) -> bytes:
    """Return frames of one size as an animated picture.

    Args:
        kind: "WEBP" or "GIF".
        loops: whether it begins again at its end.
    """
    pictures = map(Image.fromarray, frames)
    first = next(pictures)
    options = {"duration": round(1000 / rate), **({"quality": 80, "method": 2} if kind == "WEBP" else {})}
    if loops or kind == "WEBP":
        options["loop"] = 0 if loops else 1
    made = io.BytesIO()
    first.save(made, kind, save_all=True, append_images=pictures, **options)
    return made.getvalue()
