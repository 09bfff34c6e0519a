"""From a visitor's pictures to files that a browser can show, one update per frame."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from nst.errors import InputError
from nst.frames import Frame
from nst.images import encode_jpeg, encode_png, fit, load_image, resize, to_pixels
from nst.metadata import describe_painting
from nst.painting import stylize
from nst.settings import Settings
from nst.ui.storage import RunFolder, sweep

log = logging.getLogger(__name__)

# At most four frames a second, of at most 512 px: more than that a slow line cannot carry.
INTERVAL = 0.25
PREVIEW = 512


@dataclass(frozen=True)
class Update:
    """One moment of a run, as files."""

    frame: Frame
    picture: str  # path: a JPEG preview, or the finished PNG
    before: str = ""  # path of the photo at the finished size, once it is finished


def paint(
    photo: str | bytes | None, style: str | bytes | None, settings: Settings, stop: Callable[[], bool] = bool
) -> Iterator[Update]:
    """Paint and yield updates; the last one's frame is final and its picture a PNG.

    Raises:
        InputError: a picture is missing or cannot be used; nothing has been painted then.
    """
    if photo is None:
        raise InputError("Add a photo first.")
    if style is None:
        raise InputError("Add a style picture first.")
    content = load_image(photo, "The photo")
    frames = stylize(content, load_image(style, "The style picture"), settings, stop=stop, interval=INTERVAL)
    sweep()
    folder = RunFolder()
    try:
        for frame in frames:
            if not frame.final:
                yield Update(frame, folder.add_frame(encode_jpeg(_preview(frame.image))))
                continue
            log.info(
                "painted %d x %d, %d iterations, %.2f s, %.2f s of them optimising, %s on %s",
                frame.width,
                frame.height,
                frame.iteration,
                frame.seconds,
                frame.optimising,
                frame.encoder,
                frame.device,
            )
            before = to_pixels(resize(content, (frame.width, frame.height)))
            yield Update(
                frame,
                folder.add(
                    "painting.png", encode_png(frame.image, describe_painting(settings, frame.encoder))
                ),
                folder.add("photo.jpg", encode_jpeg(before, quality=92)),
            )
    finally:
        # Also when the visitor has left: the painting must not go on until the collector comes by.
        frames.close()


def _preview(pixels: np.ndarray) -> np.ndarray:
    """Return pixels at the preview's size: small canvases enlarged softly, large ones reduced."""
    height, width = pixels.shape[:2]
    size = fit(width, height, PREVIEW)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
