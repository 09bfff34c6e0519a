"""A painted clip as a file: MP4, animated WebP or GIF, by the ending of its name."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from nst.clips.reading import Clip, opened_film
from nst.image.film import film
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

    with tempfile.TemporaryDirectory(prefix="nst-") as folder:
        file = Path(folder) / path.name
        if path.suffix.lower() == ".mp4":
            _write_film(counted(), clip, file)
        else:
            _write_animation(counted(), clip, file, path.suffix[1:].upper())
        save(file.read_bytes(), path)
    return count


def _write_film(frames: Iterator[np.ndarray], clip: Clip, file: Path) -> None:
    with contextlib.ExitStack() as stack:
        source = None if clip.animation else stack.enter_context(opened_film(clip.source))
        sound = source.streams.audio[0] if source and source.streams.audio else None
        made = stack.enter_context(film(file, clip.rate, sound))
        for pixels in frames:
            made.add(pixels)


def _write_animation(frames: Iterator[np.ndarray], clip: Clip, file: Path, kind: str) -> None:
    pictures = map(Image.fromarray, frames)
    first = next(pictures)
    options = {
        "duration": round(1000 / clip.rate),
        **({"quality": 80, "method": 2} if kind == "WEBP" else {}),
    }
    if clip.loops or kind == "WEBP":
        options["loop"] = 0 if clip.loops else 1
    first.save(file, kind, save_all=True, append_images=pictures, **options)
