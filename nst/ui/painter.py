"""From a visitor's pictures to files that a browser can show, one update per frame."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from nst.errors import InputError
from nst.frames import Frame
from nst.images import encode_jpeg, encode_png, fit, load_image, resize, to_pixels
from nst.metadata import describe_painting
from nst.painting import Picture, stylize
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


Upload = str | bytes | None  # a path, the bytes of a file, or nothing given


@dataclass(frozen=True)
class Pictures:
    """The pictures of a run, as a visitor gave them."""

    photo: Upload
    styles: tuple[Upload, ...]  # by slot; empty slots but the first may be None
    keep: Picture | None = None
    regions: tuple[Picture | None, ...] = ()  # by slot of the style
    start: Upload = None


def paint(pictures: Pictures, settings: Settings, stop: Callable[[], bool] = bool) -> Iterator[Update]:
    """Paint and yield updates; the last one's frame is final and its picture a PNG.

    Raises:
        InputError: a picture is missing or cannot be used; nothing has been painted then.
    """
    if pictures.photo is None:
        raise InputError("Add a photo first.")
    if all(style is None for style in pictures.styles):
        raise InputError("Add a style picture first.")
    regions = pictures.regions + (None,) * (len(pictures.styles) - len(pictures.regions))
    for number, (style, region) in enumerate(zip(pictures.styles, regions, strict=True), 1):
        if style is None and region is not None:
            raise InputError(
                f"Style {number} has a region but no picture; add one under More styles or erase its region."
            )
    given = [slot for slot, style in enumerate(pictures.styles) if style is not None]
    # Slots close up, and their shares with them.
    shares = {f"blend_{n}": settings.blend[slot] for n, slot in enumerate(given, 1)}
    settings = replace(settings, **shares)
    content = load_image(pictures.photo, "The photo")
    frames = stylize(
        content,
        [
            load_image(pictures.styles[slot], f"Style picture {slot + 1}" if slot else "The style picture")
            for slot in given
        ],
        settings,
        keep=pictures.keep,
        regions=[regions[slot] for slot in given],
        start=pictures.start,
        stop=stop,
        interval=INTERVAL,
    )
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
