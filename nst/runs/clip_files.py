"""The files of a clip that is painted: its frames, the film so far, the finished film."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from nst.clips.writing import as_animation
from nst.errors import InputError
from nst.image.film import as_film
from nst.painters.previews import Preview
from nst.runs.storage import IN_FLIGHT, RunFolder, SavedFrame
from nst.runs.stream import EXPIRED, NOTHING, Update

# How many times as many frames a film so far has as the one before: encoding all of them stays a small part.
_GROWN = 1.5


def save_clip_frame(folder: RunFolder, preview: Preview) -> Update:
    """Write a frame of a clip: all that are finished stay, and of those in work the newest."""
    frame = replace(preview.frame, image=np.broadcast_to(NOTHING, (*reversed(preview.size), 3)))
    if preview.done:
        path = _keep(folder, preview.jpeg, frame.iteration, preview.size)
    else:
        path = folder.add("passing", ".jpg", preview.jpeg)
        folder.passing.append(path)
        if len(folder.passing) > IN_FLIGHT:
            folder.discard(folder.passing.pop(0))
    return Update(frame, path)


def take_over(folder: RunFolder, frames: Iterable[SavedFrame]) -> None:
    """Begin with the frames of a clip that another run has painted; raise OSError if one of them is gone."""
    for frame in frames:
        _keep(folder, Path(frame.path).read_bytes(), frame.iteration, frame.size)


def film_so_far(folder: RunFolder, rate: Fraction) -> None:
    """Write the finished frames as an animated WebP, if there are enough more than in the one before."""
    if len(folder.frames) < _GROWN * folder.filmed:
        return
    folder.filmed, before = len(folder.frames), folder.so_far
    folder.so_far = folder.add("so-far", ".webp", as_animation(_pixels(folder), rate, "WEBP", True))
    if before:
        folder.passing.append(before)  # a browser may be about to fetch it


def films(folder: RunFolder, clip: np.ndarray, rate: Fraction) -> tuple[bytes, bytes, bytes]:
    """Return the painted clip as animated WebP and as MP4, and what it was painted from as WebP.

    Args:
        clip: what it was painted from, (N, H, W, 3) uint8.

    Raises:
        InputError: the frames are no longer there.
    """
    painted = list(_pixels(folder))
    before = as_animation(iter(clip[: len(painted)]), rate, "WEBP", True)
    return as_animation(iter(painted), rate, "WEBP", True), as_film(painted, rate), before


def finish_clip(folder: RunFolder, webp: bytes, mp4: bytes, before: bytes) -> str:
    """Write what `films` returns; return the path of the WebP, beside which the MP4 lies."""
    folder.before = folder.add("photo", ".webp", before)
    path = folder.add("painting", ".webp", webp)
    film = folder.write(Path(path).with_suffix(".mp4").name, mp4)
    folder.film = film, path
    folder.finished = folder.frames[-1]._replace(path=path)
    return path


def _keep(folder: RunFolder, jpeg: bytes, number: int, size: tuple[int, int]) -> str:
    path = folder.add("frame", ".jpg", jpeg)
    folder.frames.append(SavedFrame(path, number, size, number, of_clip=True))
    return path


def _pixels(folder: RunFolder) -> Iterator[np.ndarray]:
    """Yield the finished frames, all of the last one's size."""
    size = folder.frames[-1].size
    for kept in folder.frames:
        try:
            with Image.open(kept.path) as picture:
                yield np.asarray(picture if picture.size == size else picture.resize(size))
        except FileNotFoundError as error:
            raise InputError(EXPIRED) from error
