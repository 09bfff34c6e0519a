"""Make README's clip: a camera that nears a photo, painted. Run as `python examples/make_clip.py`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from nst.cli import main as paint

HERE = Path(__file__).parent
PHOTO, STYLE = HERE / "photos" / "surf.jpg", HERE / "styles" / "great_wave.jpg"
SIZE, COUNT = (352, 212), 30


def frames() -> list[Image.Image]:
    """Return what the camera sees."""
    photo, shots = Image.open(PHOTO).convert("RGB"), []
    for number in range(COUNT):
        gone = number / (COUNT - 1)
        width = photo.width * (0.78 - 0.18 * gone)
        height = min(0.6 * width, photo.height)
        left, top = (photo.width - width) * (0.15 + 0.6 * gone), (photo.height - height) / 2
        box = (left, top, left + width, top + height)
        shots.append(photo.resize(SIZE, Image.Resampling.LANCZOS, box=box))
    return shots


def main() -> None:
    """Paint it."""
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "clip.webp"
        first, *others = frames()
        first.save(clip, save_all=True, append_images=others, duration=83, loop=0, lossless=True)
        output = HERE / "page" / "clip.webp"
        arguments = [clip, STYLE, "-o", output, "--size", SIZE[0], "--encoder", "narrow", "--force"]
        sys.exit(paint([str(argument) for argument in arguments]))


if __name__ == "__main__":
    main()
