"""From frames to files that a browser can show."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from nst.errors import InputError
from nst.image.metadata import describe_painting
from nst.image.picture_files import encode_jpeg, encode_png
from nst.image.timelapse import as_mp4, as_webp
from nst.optimization.frames import Frame
from nst.painters.pixels import Pixels
from nst.painters.previews import Preview, at_size
from nst.runs.storage import RunFolder, SavedFrame
from nst.settings import Settings

NOTHING = np.zeros((), np.uint8)
EXPIRED = "This painting has expired. Press Paint to make it again."


@dataclass(frozen=True)
class Update:
    """One moment of a run, as files."""

    frame: Frame  # its image is of the right size, and black: what is to be seen is in the files
    picture: str  # path: a JPEG preview, or the finished PNG, or of a clip the animated WebP


def save_frame(folder: RunFolder, preview: Preview, photo: Pixels, settings: Settings) -> Update:
    """Write a frame; the final one as PNG, with its settings, and the photo beside it.

    Args:
        settings: how the run began.
    """
    frame, size, change = preview.frame, preview.size, preview.change
    moment = replace(frame, image=np.broadcast_to(NOTHING, (*reversed(size), 3)))
    if not frame.final:
        return Update(moment, folder.add_frame(preview.jpeg, frame.iteration, size, change))
    text = describe_painting(frame.settings.public(), frame.encoder, steered=frame.settings != settings)
    folder.before = folder.add("photo", ".jpg", encode_jpeg(at_size(photo, size), quality=92))
    path = folder.add("painting", ".png", encode_png(frame.image, text))
    folder.finished = SavedFrame(path, frame.iteration, size, change)
    return Update(moment, path)


def canvas_of(kept: SavedFrame) -> Image.Image:
    """Return a kept frame as a canvas to go on with: no larger than it was, no larger than its preview.

    Raises:
        InputError: it is no longer there.
    """
    try:
        with Image.open(kept.path) as picture:
            return picture.resize(min(kept.size, picture.size), Image.Resampling.BICUBIC)
    except OSError as error:
        raise InputError(EXPIRED) from error


def film(folder: RunFolder) -> tuple[str, str]:
    """Return the paths of an ended run's film as MP4 and animated WebP, made when first asked for.

    Raises:
        InputError: the frames are no longer there.
    """
    if folder.film is None:
        try:
            pictures = []
            for kept in folder.kept():
                with Image.open(kept.path) as picture:
                    pictures.append(np.asarray(picture))
            mp4 = folder.add("time-lapse", ".mp4", as_mp4(pictures))
            folder.film = mp4, folder.add("time-lapse", ".webp", as_webp(pictures))
        except FileNotFoundError as error:
            raise InputError(EXPIRED) from error
    return folder.film
