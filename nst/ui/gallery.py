"""The example pictures that a visitor can take with one click."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps

EXAMPLES = Path(__file__).parents[2] / "examples"
FINISHED = EXAMPLES / "finished.jpg"
# The preset, then what visitors look for.
_STYLES = ("stained_glass", "starry_night", "great_wave", "the_scream", "composition_vii", "shipwreck")


@dataclass(frozen=True)
class Example:
    """One picture of the gallery."""

    path: Path

    @property
    def title(self) -> str:
        """The file's name as people read it."""
        return self.path.stem.replace("_", " ").capitalize()

    def thumbnail(self, size: tuple[int, int] = (128, 128), height: float = 0.5) -> bytes:
        """Return the picture's middle, or what is at another height from 0 to 1, this small, as JPEG."""
        with Image.open(self.path) as picture:
            part = ImageOps.fit(picture.convert("RGB"), size, centering=(0.5, height))
        buffer = io.BytesIO()
        part.save(buffer, "JPEG", quality=80)
        return buffer.getvalue()


def photos() -> list[Example]:
    """Return the example photos, the preset first."""
    return _ordered("photos", ("astronaut",))


def styles() -> list[Example]:
    """Return the example styles, the preset first."""
    return _ordered("styles", _STYLES)


def preset_file(name: str) -> Path:
    """Return the file of what a preset of the main sliders paints."""
    return EXAMPLES / "presets" / f"{name.lower().replace(' ', '_')}.jpg"


def _ordered(folder: str, first: Sequence[str]) -> list[Example]:
    """Return the pictures of a folder, those named first and the others by name."""
    files = {path.stem: path for path in sorted((EXAMPLES / folder).glob("*.jpg"))}
    names = [*(name for name in first if name in files), *(name for name in files if name not in first)]
    return [Example(files[name]) for name in names]
