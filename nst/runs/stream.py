"""From frames to files that a browser can show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from nst.clips.writing import as_animation
from nst.errors import InputError
from nst.image.film import as_film
from nst.image.metadata import describe_painting
from nst.image.picture_files import encode_jpeg, encode_png
from nst.image.timelapse import as_mp4, as_webp
from nst.optimization.frames import Frame
from nst.painters.pixels import Pixels
from nst.painters.previews import Preview, at_size
from nst.runs.storage import IN_FLIGHT, RunFolder, SavedFrame
from nst.settings import Settings

# How many times as many frames a film so far has as the one before: encoding all of them stays a small part.
_GROWN = 1.5
EXPIRED = "This painting has expired. Press Paint to make it again."


@dataclass(frozen=True)
class Update:
    """One moment of a run, as files."""

    frame: Frame  # its image is of the right size, and black: what is to be seen is in the files
    picture: str  # path: a JPEG preview, or the finished PNG, or of a clip the animated WebP


def save_frame(folder: RunFolder, preview: Preview, photo: Pixels, settings: Settings) -> str:
    """Write a frame of a run begun with `settings`, the last one as PNG beside its photo; return the path."""
    frame, size, change = preview.frame, preview.size, preview.change
    if not frame.final:
        return folder.add_frame(preview.jpeg, frame.iteration, size, change)
    text = describe_painting(frame.settings.public(), frame.encoder, steered=frame.settings != settings)
    folder.before = folder.add("photo", ".jpg", encode_jpeg(at_size(photo, size), quality=92))
    path = folder.add("painting", ".png", encode_png(frame.image, text))
    folder.finished = SavedFrame(path, frame.iteration, size, change)
    return path


def opened(kept: SavedFrame) -> Image.Image:
    """Return a kept frame; raise InputError if it is no longer there."""
    try:
        with Image.open(kept.path) as picture:
            picture.load()
            return picture
    except OSError as error:
        raise InputError(EXPIRED) from error


def canvas_of(kept: SavedFrame) -> Image.Image:
    """Return a kept frame as a canvas to go on with, no larger than its preview; InputError if it is gone."""
    picture = opened(kept)
    return picture.resize(min(kept.size, picture.size), Image.Resampling.BICUBIC)


def film(folder: RunFolder) -> tuple[str, str]:
    """Return the paths of a run's film, MP4 and WebP, made when first asked for; InputError if it is gone."""
    if folder.film is None:
        pictures = [np.asarray(opened(kept)) for kept in folder.kept()]
        mp4 = folder.add("time-lapse", ".mp4", as_mp4(pictures))
        folder.film = mp4, folder.add("time-lapse", ".webp", as_webp(pictures))
    return folder.film


# Of a clip: its frames, the film so far, the finished film.


def save_clip_frame(folder: RunFolder, preview: Preview) -> str:
    """Write a frame of a clip and return its path; all finished ones stay, and the newest in work."""
    if preview.done:
        return _keep(folder, preview.jpeg, preview.frame.iteration, preview.size)
    path = folder.add("passing", ".jpg", preview.jpeg)
    folder.passing.append(path)
    if len(folder.passing) > IN_FLIGHT:
        folder.discard(folder.passing.pop(0))
    return path


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
    """Return the painted clip as WebP and MP4, and what it was painted from, (N, H, W, 3) uint8, as WebP."""
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
        picture = opened(kept)
        yield np.asarray(picture if picture.size == size else picture.resize(size))
