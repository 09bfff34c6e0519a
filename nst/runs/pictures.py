"""The pictures of a run, as a visitor gave them: files, or what this host itself drew."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

from PIL import Image

from nst.errors import InputError
from nst.inputs import Inputs, Role
from nst.painters.pixels import Pixels
from nst.runs.decoder import Decoder
from nst.runs.storage import Upload

Source = Upload | Image.Image

# Bytes of a run's pictures: eight of the largest that are taken, or twenty-odd of a telephone's.
_MOST_BYTES = 400_000_000


def check(pictures: Inputs[Source]) -> None:
    """Refuse to paint from nothing.

    Raises:
        InputError: saying which picture is missing.
    """
    if pictures.photo is None:
        raise InputError("Add a photo first.")
    if all(style is None for style in pictures.styles):
        raise InputError("Add a style picture first.")
    for number, (style, region, mask) in enumerate(
        zip_longest(pictures.styles, pictures.regions, pictures.style_masks), 1
    ):
        if style is None and region is not None:
            raise InputError(
                f"Style {number} has a region but no picture; add one under Areas or erase its region."
            )
        if style is None and mask is not None:
            raise InputError(f"Style {number} has a mask but no picture; add one, or leave the mask out.")


def folders(pictures: Inputs[Source]) -> list[Path]:
    """Return where the files lie."""
    return [picture.path.parent for _, picture in pictures.pictures() if isinstance(picture, Upload)]


async def decoded(pictures: Inputs[Source], decoder: Decoder, client: str) -> Inputs[Pixels]:
    """Return the pictures as pixels.

    Raises:
        InputError: one of them cannot be used.
    """
    size = 0

    async def pixels(role: Role, picture: Source) -> Pixels:
        nonlocal size
        if not isinstance(picture, Upload):
            return picture
        decoded = await decoder.decode(picture, role.name, client, role.ground, role.least, role.alpha)
        size += decoded.nbytes
        if size > _MOST_BYTES:
            raise InputError("These pictures together are too large for this host; make them smaller first.")
        return decoded

    return pictures.replaced([await pixels(role, picture) for role, picture in pictures.pictures()])


def remarks(pictures: Inputs[Source], decoder: Decoder) -> str:
    """Return what there is to say of pictures that were decoded, "" if nothing."""
    found = [
        decoder.remark(picture, role.name)
        for role, picture in pictures.pictures()
        if isinstance(picture, Upload)
    ]
    return " ".join(filter(None, found))
