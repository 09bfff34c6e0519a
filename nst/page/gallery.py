"""The example pictures that a visitor can take with one click."""

from __future__ import annotations

import filecmp
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

_SOURCES = Path(__file__).parents[2] / "examples"
EXAMPLES = _SOURCES if _SOURCES.is_dir() else Path(__file__).parents[1] / "examples"  # as it is installed
_THUMBNAIL = 128  # pixels, twice those of the page
_OF_PAIR = 120  # pixels: it is seen for a moment, and all else waits for it
# The preset, then what visitors look for.
_PHOTOS = ("matterhorn", "raccoon", "villa", "astronaut", "manhattan", "surf", "pier")
_STYLES = (
    *("starry_night", "great_wave", "the_scream", "stained_glass", "composition_vii"),
    *("san_giorgio_maggiore", "te_fare", "bedroom_in_arles"),
)
# Of paintings; everything else is called as its file.
_TITLES = {
    "starry_night": "The Starry Night (van Gogh)",
    "great_wave": "The Great Wave (Hokusai)",
    "the_scream": "The Scream (Munch)",
    "composition_vii": "Composition VII (Kandinsky)",
    "san_giorgio_maggiore": "San Giorgio Maggiore (Monet)",
    "te_fare": "Te Fare (Gauguin)",
    "bedroom_in_arles": "Bedroom in Arles (van Gogh)",
}


@dataclass(frozen=True)
class Example:
    """One picture of the gallery."""

    path: Path

    @property
    def title(self) -> str:
        """The painting with its painter, or the file's name as people read it."""
        stem = self.path.stem
        return _TITLES.get(stem, stem.replace("_", " ").capitalize())


def photos() -> list[Example]:
    """Return the example photos, the preset first."""
    return _ordered("photos", _PHOTOS)


def styles() -> list[Example]:
    """Return the example styles, the preset first."""
    return _ordered("styles", _STYLES)


def among(examples: Sequence[Example], picture: Any) -> Example | None:
    """Return the example that a file is a copy of."""
    if not isinstance(picture, str):
        return None
    for example in examples:
        # The name alone would do for a visitor's own file of that name too.
        if example.path.stem == Path(picture).stem and filecmp.cmp(example.path, picture, shallow=False):
            return example
    return None


def finished_file(photo: Example, style: Example) -> Path:
    """Return the file of what two examples become with the defaults; it may be missing."""
    return EXAMPLES / "finished" / f"{photo.path.stem}-{style.path.stem}.jpg"


def all_finished() -> list[Path]:
    """Return the files of what every two examples become."""
    return sorted((EXAMPLES / "finished").glob("*.jpg"))


def finished(photo: Example | None, style: Example | None) -> Path | None:
    """Return the file of what two examples become, None if it is missing or one is no example."""
    file = finished_file(photo, style) if photo and style else None
    return file if file and file.exists() else None


def thumbnails() -> bytes:
    """Return the middles of all examples side by side, in the order of `place`, as one JPEG.

    One file, which a browser keeps, in place of as many requests as there are examples.
    """
    return _side_by_side(_pictured(), _THUMBNAIL, 78)


def pair() -> bytes:
    """Return the middles of the preset photo and the preset style side by side, as one JPEG."""
    return _side_by_side([photos()[0].path, styles()[0].path], _OF_PAIR, 55)


def _side_by_side(files: Sequence[Path], side: int, quality: int) -> bytes:
    sheet = Image.new("RGB", (side * len(files), side))
    for number, path in enumerate(files):
        with Image.open(path) as picture:
            picture.draft("RGB", (2 * side, 2 * side))  # decoded at a part of its size, if that is enough
            part = ImageOps.fit(picture.convert("RGB"), (side, side))
        sheet.paste(part, (number * side, 0))
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def place(path: Path) -> int:
    """Return where an example stands in `thumbnails`, counted from 0."""
    return _pictured().index(path)


def _pictured() -> list[Path]:
    """Return the files in `thumbnails`."""
    return [example.path for example in (*photos(), *styles())]


def _ordered(folder: str, first: Sequence[str]) -> list[Example]:
    """Return the pictures of a folder, those named first and the others by name."""
    files = {path.stem: path for path in sorted((EXAMPLES / folder).glob("*.jpg"))}
    names = [*(name for name in first if name in files), *(name for name in files if name not in first)]
    return [Example(files[name]) for name in names]


THUMBNAIL_COUNT = len(_pictured())
