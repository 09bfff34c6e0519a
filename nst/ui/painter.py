"""From a visitor's pictures to files that a browser can show, one update per frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from nst.errors import InputError
from nst.frames import Frame
from nst.images import encode_jpeg, encode_png, fit, load_image, resize, to_pixels
from nst.metadata import describe_painting
from nst.painting import Picture, stylize
from nst.settings import Settings
from nst.timelapse import as_mp4, as_webp
from nst.ui import zero
from nst.ui.journal import Entry
from nst.ui.storage import Kept, RunFolder, sweep

# At most four frames a second, of at most 512 px: more than that a slow line cannot carry.
INTERVAL = 0.25
PREVIEW = 512


@dataclass(frozen=True)
class Update:
    """One moment of a run, as files."""

    frame: Frame
    picture: str  # path: a JPEG preview, or the finished PNG
    before: str = ""  # path of the photo at the finished size, once it is finished
    kept: tuple[Kept, ...] = ()  # the passing frames that are still there, once it is finished


Upload = str | bytes | None  # a path, the bytes of a file, or nothing given


@dataclass(frozen=True)
class Pictures:
    """The pictures of a run, as a visitor gave them."""

    photo: Upload
    styles: tuple[Upload, ...]  # by slot; empty slots but the first may be None
    keep: Picture | None = None
    regions: tuple[Picture | None, ...] = ()  # by slot of the style
    start: Upload = None
    resume: Picture | None = None

    def check(self) -> None:
        """Refuse to paint from nothing.

        Raises:
            InputError: saying which picture is missing.
        """
        if self.photo is None:
            raise InputError("Add a photo first.")
        if all(style is None for style in self.styles):
            raise InputError("Add a style picture first.")


def paint(
    pictures: Pictures,
    settings: Settings,
    entry: Entry,
    stop: Callable[[], bool] = bool,
    steer: Callable[[], Settings | None] | None = None,
) -> Iterator[Update]:
    """Paint and yield updates; the last one's frame is final and its picture a PNG.

    Args:
        pictures: what to paint from.
        settings: how.
        entry: of the run in the journal; it is shown the frames.
        stop: as for `stylize`.
        steer: as for `stylize`.

    Raises:
        InputError: a picture is missing or cannot be used; nothing has been painted then.
    """
    pictures.check()
    regions = pictures.regions + (None,) * (len(pictures.styles) - len(pictures.regions))
    for number, (style, region) in enumerate(zip(pictures.styles, regions, strict=True), 1):
        if style is None and region is not None:
            raise InputError(
                f"Style {number} has a region but no picture; add one under More styles or erase its region."
            )
    given = [slot for slot, style in enumerate(pictures.styles) if style is not None]

    def closed_up(wanted: Settings) -> Settings:
        """Return settings whose shares belong to the styles that are there, in their order."""
        return replace(wanted, **{f"blend_{n}": wanted.blend[slot] for n, slot in enumerate(given, 1)})

    def steered() -> Settings | None:
        wanted = steer() if steer else None
        return None if wanted is None else closed_up(wanted)

    settings = closed_up(settings)
    content = load_image(pictures.photo, "The photo")
    frames = (zero.frames if zero.ACTIVE else stylize)(
        content,
        [
            load_image(pictures.styles[slot], f"Style picture {slot + 1}" if slot else "The style picture")
            for slot in given
        ],
        settings,
        keep=pictures.keep,
        regions=[regions[slot] for slot in given],
        start=pictures.start,
        resume=pictures.resume,
        stop=stop,
        steer=steered,
        interval=INTERVAL,
    )
    sweep()
    folder = RunFolder()
    try:
        for frame in frames:
            entry.frame = frame
            if not frame.final:
                size = (frame.width, frame.height)
                preview = encode_jpeg(_preview(frame.image))
                yield Update(frame, folder.add_frame(preview, frame.iteration, size))
                continue
            before = to_pixels(resize(content, (frame.width, frame.height)))
            text = describe_painting(frame.settings, frame.encoder, steered=frame.settings != settings)
            yield Update(
                frame,
                folder.add("painting.png", encode_png(frame.image, text)),
                folder.add("photo.jpg", encode_jpeg(before, quality=92)),
                tuple(folder.frames),
            )
    finally:
        # Also when the visitor has left: the painting must not go on until the collector comes by.
        frames.close()


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


def film(frames: Sequence[Kept]) -> tuple[str, str]:
    """Write a time-lapse of kept frames beside them; return the paths of an MP4 and an animated WebP.

    Raises:
        InputError: the frames are no longer there.
    """
    try:
        pictures = []
        for kept in frames:
            with Image.open(kept.path) as picture:
                pictures.append(np.asarray(picture.convert("RGB")))
        found = []
        for name, make in (("time-lapse.mp4", as_mp4), ("time-lapse.webp", as_webp)):
            path = Path(frames[-1].path).with_name(name)
            path.write_bytes(make(pictures))
            found.append(str(path))
    except FileNotFoundError as error:
        raise InputError("That painting is no longer kept here; press Paint to make it anew.") from error
    return found[0], found[1]


def _preview(pixels: np.ndarray) -> np.ndarray:
    """Return pixels at the preview's size: small canvases enlarged softly, large ones reduced."""
    height, width = pixels.shape[:2]
    size = fit(width, height, PREVIEW)
    if size == (width, height):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
