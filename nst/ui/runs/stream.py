"""From frames to files that a browser can show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from nst.errors import InputError
from nst.image.files import encode_jpeg, encode_png
from nst.image.metadata import describe_painting
from nst.image.pixels import fit, resize, to_pixels, to_tensor
from nst.image.timelapse import as_mp4, as_webp
from nst.image.transparency import on_white, pixels_on_white
from nst.optimization.frames import Frame
from nst.settings import Settings
from nst.ui.runs.folder import Kept, RunFolder
from nst.ui.runs.pixels import Pixels
from nst.ui.runs.storage import Files

# Of at most 512 px: more than that, four times a second, a slow line cannot carry.
PREVIEW = 512
_LOOKED_AT = 48  # pixels on a side of what is compared
_NOTHING = np.zeros((), np.uint8)


@dataclass(frozen=True)
class Update:
    """One moment of a run, as files."""

    frame: Frame  # its image is of the right size, and black: what is to be seen is in the files
    picture: str  # path: a JPEG preview, or the finished PNG


class Recorder:
    """Writes what a run shows.

    Args:
        folder: where its files go.
        photo: that is painted.
        settings: how.
    """

    def __init__(self, folder: RunFolder, photo: Pixels, settings: Settings) -> None:
        self.folder, self.photo, self.settings = folder, photo, settings
        self._sharp: np.ndarray | None = None  # the photo at the preview's size
        self._seen: np.ndarray | None = None  # the frame before, small
        self._change = 0.0

    def update(self, frame: Frame) -> Update:
        """Write a frame; the final one as PNG, with its settings, and the photo beside it."""
        size = (frame.width, frame.height)
        told = replace(frame, image=np.broadcast_to(_NOTHING, frame.image.shape))
        if not frame.final:
            preview = self._preview(pixels_on_white(frame.image))
            self._look(preview)
            path = self.folder.add_frame(encode_jpeg(preview), frame.iteration, size, self._change)
            return Update(told, path)
        self._look(pixels_on_white(frame.image))
        before = self._photo_at(size)
        steered = frame.settings != self.settings
        text = describe_painting(frame.settings.public(), frame.encoder, steered=steered)
        finished = self.folder.finish(
            encode_png(frame.image, text),
            encode_jpeg(before, quality=92),
            frame.iteration,
            size,
            self._change,
        )
        return Update(told, finished)

    def _preview(self, pixels: np.ndarray) -> np.ndarray:
        """Return a canvas at the preview's size: a large one reduced, a small one with the photo's detail.

        It is what the next size begins with (`Pictures.enlarged`), so that a painting opens as the photo, and
        not as a blur.
        """
        height, width = pixels.shape[:2]
        size = fit(width, height, PREVIEW)
        if size == (width, height):
            return pixels
        shown = _resized(pixels, size)
        if max(size) < max(width, height) or self.settings.initial != "content":
            return shown
        if self._sharp is None or self._sharp.shape != shown.shape:
            self._sharp = self._photo_at(size)
        blurred = _resized(_resized(self._sharp, (width, height)), size)
        detail = self._sharp.astype(np.int16) - blurred
        return (shown + detail).clip(0, 255).astype(np.uint8)

    def _look(self, pixels: np.ndarray) -> None:
        """Add up what has changed to the eye since the frame before."""
        small = _resized(pixels, (_LOOKED_AT, _LOOKED_AT)).astype(np.float32) / 255
        if self._seen is not None:
            self._change += float(np.abs(small - self._seen).mean())
        self._seen = small

    def _photo_at(self, size: tuple[int, int]) -> np.ndarray:
        return to_pixels(resize(on_white(to_tensor(np.asarray(self.photo))), size))


def _resized(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def canvas_of(kept: Kept) -> Image.Image:
    """Return a kept frame as a canvas to go on with: no larger than it was, no larger than its preview.

    Raises:
        InputError: it is no longer there.
    """
    try:
        with Image.open(kept.path) as picture:
            return picture.resize(min(kept.size, picture.size), Image.Resampling.BICUBIC)
    except OSError as error:
        raise InputError("That painting is no longer kept here; press Paint to make it anew.") from error


def film(files: Files, frames: Sequence[Kept]) -> tuple[str, str]:
    """Write a time-lapse of kept frames beside them; return the paths of an MP4 and an animated WebP.

    Args:
        files: where they are kept.
        frames: the finished picture last.

    Raises:
        InputError: the frames are no longer there.
    """
    try:
        pictures = []
        for kept in frames:
            with Image.open(kept.path) as picture:
                pictures.append(np.asarray(picture))
        finished = Path(frames[-1].path)
        return (
            files.add_beside(finished, "time-lapse.mp4", as_mp4(pictures)),
            files.add_beside(finished, "time-lapse.webp", as_webp(pictures)),
        )
    except FileNotFoundError as error:
        raise InputError("That painting is no longer kept here; press Paint to make it anew.") from error
