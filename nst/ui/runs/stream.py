"""From a visitor's pictures to files that a browser can show, one update per frame."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nst import painting
from nst.errors import InputError
from nst.image.files import encode_jpeg, encode_png
from nst.image.metadata import describe_painting
from nst.image.pixels import fit, resize, to_pixels, to_tensor
from nst.image.timelapse import as_mp4, as_webp
from nst.inputs import Inputs, Role
from nst.optimization.frames import Frame
from nst.optimization.loop import Controls
from nst.painting import Picture
from nst.settings import Settings
from nst.ui.runs import zero
from nst.ui.runs.folder import Kept, RunFolder
from nst.ui.runs.log import Entry
from nst.ui.runs.pictures import Pixels
from nst.ui.runs.storage import Files

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


def paint(
    pictures: Inputs[Pixels],
    settings: Settings,
    folder: RunFolder,
    entry: Entry,
    stop: Callable[[], bool] = bool,
    steer: Callable[[], Settings | None] | None = None,
) -> Generator[Update, None, None]:
    """Paint and yield updates; the last one's frame is final and its picture a PNG.

    Args:
        pictures: what to paint from.
        settings: how.
        folder: where the updates' files go.
        entry: of the run in the log; it is shown the frames.
        stop: as for `stylize`.
        steer: as for `stylize`.

    Raises:
        InputError: a picture cannot be used; nothing has been painted then.
    """

    inputs, places = pictures.compact()

    def closed_up(wanted: Settings) -> Settings:
        """Return settings whose shares belong to the styles that are there, in their order."""
        shares: dict[str, Any] = {f"blend_{n}": wanted.blend[place] for n, place in enumerate(places, 1)}
        return replace(wanted, **shares)

    def steered() -> Settings | None:
        wanted = steer() if steer else None
        return None if wanted is None else closed_up(wanted)

    settings, controls = closed_up(settings), Controls(stop, steered, INTERVAL)
    given = inputs.map(_as_given)
    frames = (zero.paint if zero.ACTIVE else painting.paint)(given, settings, controls=controls)
    try:
        for frame in frames:
            entry.frame = frame
            if not frame.final:
                size = (frame.width, frame.height)
                preview = encode_jpeg(_preview(frame.image))
                yield Update(frame, folder.add_frame(preview, frame.iteration, size))
                continue
            photo = to_tensor(np.asarray(inputs.photo))
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


def _as_given(role: Role, picture: Pixels) -> Picture:
    # What was drawn is a picture of one channel, which is for the core to read.
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
        finished = Path(frames[-1].path)
        return (
            files.add_beside(finished, "time-lapse.mp4", as_mp4(pictures)),
            files.add_beside(finished, "time-lapse.webp", as_webp(pictures)),
        )
    except FileNotFoundError as error:
        raise InputError("That painting is no longer kept here; press Paint to make it anew.") from error


def _preview(pixels: np.ndarray) -> np.ndarray:
    """Return pixels at the preview's size: small canvases enlarged softly, large ones reduced."""
    height, width = pixels.shape[:2]
    size = fit(width, height, PREVIEW)
    if size == (width, height):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))
