"""What is shown of a painting in progress, made where it is painted: less has to cross over than a canvas."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from nst.clips.clip import ClipFrame
from nst.image.picture_files import encode_jpeg
from nst.image.tensors import fit, resize, to_pixels, to_tensor
from nst.image.transparency import on_white, pixels_on_white
from nst.optimization.frames import Frame
from nst.optimization.loop import Controls
from nst.painters.pixels import Pixels
from nst.settings import Settings

# Of at most 512 px: more than that, four times a second, a slow line cannot carry.
PREVIEW = 512
_LOOKED_AT = 48  # pixels on a side of what is compared
_NOTHING = np.zeros((0, 0, 3), np.uint8)


@dataclass(frozen=True)
class Preview:
    """A frame as it leaves its painter."""

    frame: Frame  # only the final one has its image
    size: tuple[int, int]  # width and height of the canvas
    change: float  # how much has been seen to change up to here, from frame to frame, white being 1
    jpeg: bytes = b""  # of a passing frame
    done: bool = False  # whether it is a finished frame of a clip


def previews(
    frames: Generator[Frame, None, None], photo: Pixels, settings: Settings
) -> Generator[Preview, None, None]:
    """Yield what is shown of each frame.

    Args:
        settings: how it begins.
    """
    shown = _Shown(photo, settings.initial == "content")
    with contextlib.closing(frames):
        for frame in frames:
            yield shown.of(frame)


def clip_previews(
    frames: Generator[ClipFrame, None, None], controls: Controls
) -> Generator[Preview, None, None]:
    """Yield what is shown of a clip: each of its frames in work, and as a JPEG of full size once it is done.

    The steps of such a run are the frames of the clip.
    """
    with contextlib.closing(frames):
        for each in frames:
            if each.number and controls.stop():
                return  # in the midst of a frame; the clip ends with the one before
            pixels = each.frame.image
            size = each.frame.width, each.frame.height
            small = fit(*size, PREVIEW)
            frame = replace(
                each.frame,
                image=_NOTHING,
                iteration=each.number + each.done,
                total=each.count or 0,
                seconds=each.seconds,
                rate=(each.count or 0) / (each.seconds + each.remaining) if each.frame.rate else 0.0,
                remaining=each.remaining,
                final=False,
            )
            if each.done:
                yield Preview(frame, size, 0.0, encode_jpeg(pixels, quality=95), done=True)
            else:
                shown = _resized(pixels, small) if max(small) < max(size) else pixels
                yield Preview(frame, size, 0.0, encode_jpeg(shown))


def at_size(photo: Pixels, size: tuple[int, int]) -> np.ndarray:
    """Return a photo as (H, W, 3) uint8 pixels, laid on white."""
    return to_pixels(resize(on_white(to_tensor(np.asarray(photo))), size))


class _Shown:
    """Makes the previews of one painting.

    Args:
        from_photo: whether it begins with that.
    """

    def __init__(self, photo: Pixels, from_photo: bool) -> None:
        self.photo, self.from_photo = photo, from_photo
        self._sharp = _NOTHING  # the photo at the preview's size
        self._blurred_as: tuple[int, ...] = ()  # the shape of the canvas before
        self._detail = _NOTHING  # what the photo has at the preview's size and not at that canvas's
        self._seen: np.ndarray | None = None  # the frame before, small
        self._change = 0.0

    def of(self, frame: Frame) -> Preview:
        """Return what is shown of a frame."""
        pixels, size = pixels_on_white(frame.image), (frame.width, frame.height)
        if frame.final:
            return Preview(frame, size, self._changed(pixels))
        small = self._small(pixels)
        return Preview(replace(frame, image=_NOTHING), size, self._changed(small), encode_jpeg(small))

    def _small(self, pixels: np.ndarray) -> np.ndarray:
        """Return a canvas at the preview's size: a large one reduced, a small one with the photo's detail.

        It is what the next size begins with (`WorkingPictures.enlarged`), so that a painting opens as the
        photo, and not as a blur.
        """
        height, width = pixels.shape[:2]
        size = fit(width, height, PREVIEW)
        if size == (width, height):
            return pixels
        small = _resized(pixels, size)
        if max(size) < max(width, height) or not self.from_photo:
            return small
        if self._sharp.shape != small.shape:
            self._sharp = at_size(self.photo, size)
        if self._blurred_as != pixels.shape:
            blurred = _resized(_resized(self._sharp, (width, height)), size)
            self._blurred_as, self._detail = pixels.shape, self._sharp.astype(np.int16) - blurred
        return (small + self._detail).clip(0, 255).astype(np.uint8)

    def _changed(self, pixels: np.ndarray) -> float:
        """Return what has changed to the eye, with this frame added."""
        side = (_LOOKED_AT, _LOOKED_AT)
        looked_at = Image.fromarray(pixels).resize(side, Image.Resampling.BICUBIC, reducing_gap=1.0)
        small = np.asarray(looked_at, np.float32) / 255
        if self._seen is not None:
            self._change += float(np.abs(small - self._seen).mean())
        self._seen = small
        return self._change


def _resized(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
