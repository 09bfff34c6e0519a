"""From a visitor's pictures to files that a browser can show, one update per frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from nst.errors import InputError
from nst.image.files import encode_jpeg, encode_png
from nst.image.metadata import describe_painting
from nst.image.pixels import fit, resize, to_pixels, to_tensor
from nst.image.timelapse import as_mp4, as_webp
from nst.optimization.frames import Frame
from nst.painting import stylize
from nst.settings import Settings
from nst.ui.runs import zero
from nst.ui.runs.decoder import Decoder
from nst.ui.runs.log import Entry
from nst.ui.runs.storage import Files, Kept, RunFolder, Sent

# At most four frames a second, of at most 512 px: more than that a slow line cannot carry.
INTERVAL = 0.25
PREVIEW = 512
# Bytes of a run's pictures: eight of the largest that are taken, or twenty-odd of a telephone's.
_MOST_PIXELS = 400_000_000


@dataclass(frozen=True)
class Update:
    """One moment of a run, as files."""

    frame: Frame
    picture: str  # path: a JPEG preview, or the finished PNG
    before: str = ""  # path of the photo at the finished size, once it is finished
    kept: tuple[Kept, ...] = ()  # the passing frames that are still there, once it is finished


@dataclass(frozen=True)
class Pictures:
    """The pictures of a run, as a visitor gave them: files, or what this host itself drew."""

    photo: Sent | None
    styles: tuple[Sent | None, ...]  # by slot; empty slots but the first may be None
    keep: Sent | Image.Image | None = None
    regions: tuple[Sent | Image.Image | None, ...] = ()  # by slot of the style
    start: Sent | None = None
    resume: Sent | Image.Image | None = None

    def check(self) -> None:
        """Refuse to paint from nothing.

        Raises:
            InputError: saying which picture is missing.
        """
        if self.photo is None:
            raise InputError("Add a photo first.")
        if all(style is None for style in self.styles):
            raise InputError("Add a style picture first.")
        for number, (style, region) in enumerate(zip_longest(self.styles, self.regions), 1):
            if style is None and region is not None:
                raise InputError(
                    f"Style {number} has a region but no picture;"
                    " add one under More styles or erase its region."
                )

    def folders(self) -> list[Path]:
        """Return where the files lie."""
        given = (self.photo, *self.styles, self.keep, *self.regions, self.start, self.resume)
        return [picture.path.parent for picture in given if isinstance(picture, Sent)]

    async def decoded(self, decoder: Decoder, visitor: str) -> Decoded:
        """Return the pictures as pixels.

        Args:
            decoder: of this host.
            visitor: on whose account.

        Raises:
            InputError: one of them cannot be used.
        """

        size = 0

        async def pixels(
            picture: Sent | Image.Image | None, what: str, ground: float = 1.0
        ) -> np.ndarray | Image.Image | None:
            nonlocal size
            if not isinstance(picture, Sent):
                return picture
            found = await decoder.decode(picture, what, visitor, ground=ground)
            size += found.nbytes
            if size > _MOST_PIXELS:
                raise InputError(
                    "These pictures together are too large for this host; make them smaller first."
                )
            return found

        slots = [slot for slot, style in enumerate(self.styles) if style is not None]
        regions = self.regions + (None,) * (len(self.styles) - len(self.regions))
        return Decoded(
            await pixels(self.photo, "The photo"),
            [
                await pixels(self.styles[slot], f"Style picture {slot + 1}" if slot else "The style picture")
                for slot in slots
            ],
            tuple(slots),
            # What is transparent in a mask is not painted on: it counts as black.
            await pixels(self.keep, "The mask of what to keep", 0.0),
            [await pixels(regions[slot], f"The region of style {slot + 1}", 0.0) for slot in slots],
            await pixels(self.start, "The picture to start from"),
            await pixels(self.resume, "The painting to go on with"),
        )


@dataclass(frozen=True)
class Decoded:
    """The pictures of a run as pixels, (H, W, 3) uint8 or floats in [0, 1], or as Pillow images."""

    photo: np.ndarray
    styles: list[np.ndarray]
    slots: tuple[int, ...]  # which of the page's slots the styles come from
    keep: np.ndarray | Image.Image | None
    regions: list[np.ndarray | Image.Image | None]
    start: np.ndarray | None
    resume: np.ndarray | Image.Image | None


def paint(
    pictures: Decoded,
    settings: Settings,
    folder: RunFolder,
    entry: Entry,
    stop: Callable[[], bool] = bool,
    steer: Callable[[], Settings | None] | None = None,
) -> Iterator[Update]:
    """Paint and yield updates; the last one's frame is final and its picture a PNG.

    Args:
        pictures: what to paint from.
        settings: how.
        folder: where the updates' files go.
        entry: of the run in the journal; it is shown the frames.
        stop: as for `stylize`.
        steer: as for `stylize`.

    Raises:
        InputError: a picture cannot be used; nothing has been painted then.
    """

    def closed_up(wanted: Settings) -> Settings:
        """Return settings whose shares belong to the styles that are there, in their order."""
        shares = {f"blend_{n}": wanted.blend[slot] for n, slot in enumerate(pictures.slots, 1)}
        return replace(wanted, **shares)

    def steered() -> Settings | None:
        wanted = steer() if steer else None
        return None if wanted is None else closed_up(wanted)

    settings, photo = closed_up(settings), to_tensor(pictures.photo)
    frames = (zero.frames if zero.ACTIVE else stylize)(
        photo,
        [_given(style) for style in pictures.styles],
        settings,
        keep=_given(pictures.keep),
        regions=[_given(region) for region in pictures.regions],
        start=_given(pictures.start),
        resume=_given(pictures.resume),
        stop=stop,
        steer=steered,
        interval=INTERVAL,
    )
    try:
        for frame in frames:
            entry.frame = frame
            if not frame.final:
                size = (frame.width, frame.height)
                preview = encode_jpeg(_preview(frame.image))
                yield Update(frame, folder.add_frame(preview, frame.iteration, size))
                continue
            before = to_pixels(resize(photo, (frame.width, frame.height)))
            text = describe_painting(
                frame.settings.public(), frame.encoder, steered=frame.settings != settings
            )
            yield Update(
                frame,
                folder.add("painting.png", encode_png(frame.image, text)),
                folder.add("photo.jpg", encode_jpeg(before, quality=92)),
                tuple(folder.frames),
            )
    finally:
        # Also when the visitor has left: the painting must not go on until the collector comes by.
        frames.close()


def _given(picture: np.ndarray | Image.Image | None) -> Tensor | Image.Image | None:
    return to_tensor(picture) if isinstance(picture, np.ndarray) else picture


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
                pictures.append(np.asarray(picture.convert("RGB")))
        found = []
        for name, make in (("time-lapse.mp4", as_mp4), ("time-lapse.webp", as_webp)):
            found.append(files.add_beside(Path(frames[-1].path), name, make(pictures)))
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
