"""The pictures of a run, as a visitor gave them: files, or what this host itself drew."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path

from PIL import Image

from nst.errors import InputError
from nst.inputs import Inputs
from nst.painters.pixels import Pixels
from nst.runs.decoder import Decoder
from nst.runs.storage import Upload

Source = Upload | Image.Image

# Bytes of a run's pictures: eight of the largest that are taken, or twenty-odd of a telephone's.
_MOST_BYTES = 400_000_000


def check(pictures: Inputs[Source]) -> None:
    """Raise InputError if a picture is missing, saying which."""
    if pictures.photo is None:
        raise InputError("Add a photo first.")
    if all(style is None for style in pictures.styles):
        raise InputError("Add a style picture first.")
    for kind, masks, advice in (
        ("region", pictures.regions, "add one under Areas or erase its region"),
        ("mask", pictures.style_masks, "add one, or leave the mask out"),
    ):
        for number, (style, mask) in enumerate(zip_longest(pictures.styles, masks), 1):
            if style is None and mask is not None:
                raise InputError(f"Style {number} has a {kind} but no picture; {advice}.")


def folders(pictures: Inputs[Source]) -> list[Path]:
    """Return where the files lie."""
    return [picture.path.parent for _, picture in pictures.pictures() if isinstance(picture, Upload)]


async def decoded(
    pictures: Inputs[Source], decoder: Decoder, client: str, longest: int
) -> tuple[Inputs[Pixels], str]:
    """Return the pixels, of a clip of `longest` pixels, and a remark; InputError for an unusable picture."""
    found: list[Pixels] = []
    remarks, size = [], 0
    for role, picture in pictures.pictures():
        if not isinstance(picture, Upload):
            found.append(picture)
            continue
        if role.kind == "photo" and (await decoder.describe(picture, role.name, client))[1]:
            pixels, remark = await decoder.clip(picture, role.name, client, longest), ""
        else:
            how = (role.ground, role.least, role.alpha)
            pixels, remark = await decoder.decode(picture, role.name, client, *how)
        found.append(pixels)
        remarks.append(remark)
        size += pixels.nbytes
        if size > _MOST_BYTES:
            raise InputError("These pictures together are too large for this host; make them smaller first.")
    return pictures.replaced(found), " ".join(filter(None, remarks))
