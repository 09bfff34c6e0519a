"""The example pictures that a visitor can take with one click."""

from __future__ import annotations

import filecmp
import io
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

_SOURCES = Path(__file__).parents[2] / "examples"
EXAMPLES = _SOURCES if _SOURCES.is_dir() else Path(__file__).parents[1] / "examples"  # as it is installed
_THUMBNAIL = 128  # pixels, twice those of the page
_OF_PAIR = 120  # pixels: it is seen for a moment, and all else waits for it
# The preset, then what visitors look for; the others follow by name.
_PHOTOS = ("matterhorn", "raccoon", "villa", "astronaut", "manhattan", "surf", "pier")
# Paintings with their titles; everything else is called as its file.
_STYLES = {
    "starry_night": "The Starry Night (van Gogh)",
    "great_wave": "The Great Wave (Hokusai)",
    "the_scream": "The Scream (Munch)",
    "stained_glass": "Stained glass",
    "composition_vii": "Composition VII (Kandinsky)",
    "san_giorgio_maggiore": "San Giorgio Maggiore (Monet)",
    "te_fare": "Te Fare (Gauguin)",
    "bedroom_in_arles": "Bedroom in Arles (van Gogh)",
}


def title(example: Path) -> str:
    """Return the painting with its painter, or the file's name as people read it."""
    return _STYLES.get(example.stem, example.stem.replace("_", " ").capitalize())


@cache
def _ordered(folder: str, first: tuple[str, ...]) -> tuple[Path, ...]:
    """Return the examples of a folder, these first, the others by name."""
    files = sorted((EXAMPLES / folder).glob("*.jpg"))
    return tuple(sorted(files, key=lambda file: [*first, file.stem].index(file.stem)))


photos = partial(_ordered, "photos", _PHOTOS)
styles = partial(_ordered, "styles", tuple(_STYLES))


def among(examples: Sequence[Path], picture: Any) -> Path | None:
    """Return the example that a file is a copy of."""
    if not isinstance(picture, str | Path):
        return None
    for example in examples:
        # The name alone would do for a visitor's own file of that name too.
        if example.stem == Path(picture).stem and filecmp.cmp(example, picture, shallow=False):
            return example
    return None


def finished_file(photo: Path, style: Path) -> Path:
    return EXAMPLES / "finished" / f"{photo.stem}-{style.stem}.jpg"


def all_finished() -> list[Path]:
    return sorted((EXAMPLES / "finished").glob("*.jpg"))


def finished(photo: Any, style: Any) -> Path | None:
    """Return the file of what a photo and a style become, None if one of these files is no example's copy."""
    one, other = among(photos(), photo), among(styles(), style)
    return finished_file(one, other) if one and other else None


def thumbnails() -> bytes:
    """Return the middles of all examples side by side, in the order of `place`, as one JPEG to be kept."""
    return _side_by_side((*photos(), *styles()), _THUMBNAIL, 78)


def pair() -> bytes:
    """Return the middles of the preset photo and the preset style side by side, as one JPEG."""
    return _side_by_side((photos()[0], styles()[0]), _OF_PAIR, 55)


def _side_by_side(examples: Sequence[Path], side: int, quality: int) -> bytes:
    sheet = Image.new("RGB", (side * len(examples), side))
    for number, example in enumerate(examples):
        with Image.open(example) as picture:
            picture.draft("RGB", (2 * side, 2 * side))  # decoded at a part of its size, if that is enough
            part = ImageOps.fit(picture.convert("RGB"), (side, side))
        sheet.paste(part, (number * side, 0))
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def place(path: Path) -> int:
    """Return where an example stands in `thumbnails`, counted from 0."""
    return (*photos(), *styles()).index(path)


THUMBNAIL_COUNT = len(photos()) + len(styles())
