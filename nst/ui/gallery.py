"""The example pictures that a visitor can take with one click."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

EXAMPLES = Path(__file__).parents[2] / "examples"
FINISHED = EXAMPLES / "finished.jpg"
_THUMBNAIL = 128


@dataclass(frozen=True)
class Example:
    """One picture of the gallery."""

    path: Path

    @property
    def title(self) -> str:
        """The file's name as people read it."""
        return self.path.stem.replace("_", " ").capitalize()

    def thumbnail(self) -> bytes:
        """Return a small square of the picture's middle as JPEG."""
        with Image.open(self.path) as picture:
            square = ImageOps.fit(picture.convert("RGB"), (_THUMBNAIL, _THUMBNAIL))
        buffer = io.BytesIO()
        square.save(buffer, "JPEG", quality=80)
        return buffer.getvalue()


def photos() -> list[Example]:
    """Return the example photos, the preset first."""
    return _ordered("photos", "astronaut")


def styles() -> list[Example]:
    """Return the example styles, the preset first."""
    return _ordered("styles", "stained_glass")


def _ordered(folder: str, first: str) -> list[Example]:
    files = sorted((EXAMPLES / folder).glob("*.jpg"), key=lambda path: (path.stem != first, path.stem))
    return [Example(path) for path in files]
