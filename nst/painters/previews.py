"""What is shown of a painting in progress, made where it is painted: less has to cross over than a canvas."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from dataclasses import dataclass, replace
from functools import lru_cache, partial

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


def previews(frames: Generator[Frame], photo: Pixels, settings: Settings) -> Generator[Preview]:
    """Yield what is shown of each frame of a painting that begins with these settings."""
    sharp = lru_cache(maxsize=1)(partial(at_size, photo))

    @lru_cache(maxsize=1)  # a canvas stays of one size for many frames
    def detail(canvas: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
        """Return what the photo has at the preview's size and not at a canvas's."""
        return sharp(size).astype(np.int16) - resized(resized(sharp(size), canvas), size)

    change, before = 0.0, None
    with contextlib.closing(frames):
        for frame in frames:
            pixels, size = pixels_on_white(frame.image), (frame.width, frame.height)
            shown = fit(*size, PREVIEW)
            if not frame.final and shown != size:
                pixels = resized(pixels, shown)
                if max(shown) > max(size) and settings.initial == "content":
                    # It is what the next size begins with (`WorkingPictures.enlarged`), so that a painting
                    # opens as the photo, and not as a blur.
                    pixels = (pixels + detail(size, shown)).clip(0, 255).astype(np.uint8)
            now = _looked_at(pixels)
            change += 0.0 if before is None else float(np.abs(now - before).mean())
            before = now
            if frame.final:
                yield Preview(frame, size, change)
            else:
                yield Preview(replace(frame, image=_NOTHING), size, change, encode_jpeg(pixels))


def clip_previews(frames: Generator[ClipFrame], controls: Controls) -> Generator[Preview]:
    """Yield what is shown of a clip's frames, which are its steps: in work, and of full size once done."""
    with contextlib.closing(frames):
        for each in frames:
            if each.number and controls.stop():
                return  # in the midst of a frame; the clip ends with the one before
            pixels = each.frame.image
            size = each.frame.width, each.frame.height
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
            jpeg = encode_jpeg(pixels, quality=95) if each.done else encode_jpeg(small(pixels))
            yield Preview(frame, size, 0.0, jpeg, each.done)


def at_size(photo: Pixels, size: tuple[int, int]) -> np.ndarray:
    """Return a photo as (H, W, 3) uint8 pixels, laid on white."""
    return to_pixels(resize(on_white(to_tensor(np.asarray(photo))), size))


def _looked_at(pixels: np.ndarray) -> np.ndarray:
    side = (_LOOKED_AT, _LOOKED_AT)
    small = Image.fromarray(pixels).resize(side, Image.Resampling.BICUBIC, reducing_gap=1.0)
    return np.asarray(small, np.float32) / 255


def small(pixels: np.ndarray) -> np.ndarray:
    """Return pixels no larger than a preview."""
    height, width = pixels.shape[:2]
    return resized(pixels, fit(width, height, PREVIEW)) if max(width, height) > PREVIEW else pixels


def resized(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return pixels at another width and height."""
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
