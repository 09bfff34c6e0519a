"""From frames to files that a browser can show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from nst.painters.pixels import Pixels, is_clip
from nst.painters.previews import Preview, at_size
from nst.runs.decoder import Moving
from nst.runs.storage import RunFolder, SavedFrame
from nst.settings import Settings

_NOTHING = np.zeros((), np.uint8)
_EXPIRED = "This painting has expired. Press Paint to make it again."


@dataclass(frozen=True)
class Update:
    """One moment of a run, as files."""

    frame: Frame  # its image is of the right size, and black: what is to be seen is in the files
    picture: str  # path: a JPEG preview, the finished PNG, or of a clip the animated WebP
    film: str = ""  # path of an animated WebP, the clip so far, "" if there is no other than before


def save_frame(folder: RunFolder, preview: Preview, photo: Pixels, settings: Settings) -> Update:
    """Write a frame; the final one as PNG, with its settings, and the photo beside it.

    Args:
        settings: how the run began.
    """
    frame, size, change = preview.frame, preview.size, preview.change
    moment = replace(frame, image=np.broadcast_to(_NOTHING, (*reversed(size), 3)))
    if preview.done:
        return Update(moment, folder.add_clip_frame(preview.jpeg, frame.iteration, size))
    if is_clip(photo):
        return Update(moment, folder.add_passing(preview.jpeg))
    if not frame.final:
        return Update(moment, folder.add_frame(preview.jpeg, frame.iteration, size, change))
    text = describe_painting(frame.settings.public(), frame.encoder, steered=frame.settings != settings)
    before = encode_jpeg(at_size(photo, size), quality=92)
    return Update(moment, folder.finish(encode_png(frame.image, text), before, frame.iteration, size, change))


def canvas_of(kept: SavedFrame) -> Image.Image:
    """Return a kept frame as a canvas to go on with: no larger than it was, no larger than its preview.

    Raises:
        InputError: it is no longer there.
    """
    try:
        with Image.open(kept.path) as picture:
            return picture.resize(min(kept.size, picture.size), Image.Resampling.BICUBIC)
    except OSError as error:
        raise InputError(_EXPIRED) from error


def clip_so_far(folder: RunFolder, rate: Fraction) -> str:
    """Write the frames of a clip that are finished as an animated WebP; return its path.

    Raises:
        InputError: the frames are no longer there.
    """
    return folder.add_so_far(as_animation(_pictures(folder), rate, "WEBP", True))


def painted_clip(folder: RunFolder, frames: np.ndarray, moving: Moving) -> tuple[bytes, bytes, bytes]:
    """Return a painted clip as animated WebP and as MP4, and what it was painted from as WebP.

    Args:
        frames: what it was painted from, (N, H, W, 3) uint8.

    Raises:
        InputError: the frames are no longer there.
    """
    painted = list(_pictures(folder))
    webp = as_animation(iter(painted), moving.rate, "WEBP", True)
    before = as_animation(iter(frames[: len(painted)]), moving.rate, "WEBP", True)
    return webp, as_film(painted, moving.rate), before


def _pictures(folder: RunFolder) -> Iterator[np.ndarray]:
    """Yield the finished frames of a clip, all of the last one's size."""
    size = folder.frames[-1].size
    for kept in folder.frames:
        try:
            with Image.open(kept.path) as picture:
                yield np.asarray(picture if picture.size == size else picture.resize(size))
        except FileNotFoundError as error:
            raise InputError(_EXPIRED) from error


def film(folder: RunFolder) -> tuple[str, str]:
    """Return the paths of a run's time-lapse as MP4 and animated WebP; it is made when first asked for.

    Of a clip it is the painted clip.

    Raises:
        InputError: the frames are no longer there.
    """
    frames = folder.kept()
    if folder.finished and folder.finished.of_clip:
        path = Path(folder.finished.path)
        return str(path.with_suffix(".mp4")), str(path)
    if folder.film and folder.film[0] == frames:
        return folder.film[1:]
    try:
        pictures = []
        for kept in frames:
            with Image.open(kept.path) as picture:
                pictures.append(np.asarray(picture))
        paths = (
            folder.add("time-lapse", ".mp4", as_mp4(pictures)),
            folder.add("time-lapse", ".webp", as_webp(pictures)),
        )
    except FileNotFoundError as error:
        raise InputError(_EXPIRED) from error
    folder.film = (frames, *paths)
    return paths
