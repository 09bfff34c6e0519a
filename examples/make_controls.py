"""Paint the pictures of the README that show what each control does.

Run as `python examples/make_controls.py`, with names of rows for only these. Seeded: the same machine makes
the same pictures.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

sys.path.insert(0, str(Path(__file__).parents[1]))

from nst import Settings, stylize
from nst.settings import KNOBS

HERE = Path(__file__).parent
OUT = HERE / "controls"
SIZE = 320
GLASS, INK, WAVES = "stained_glass", "ink_wash", "woodblock_waves"


def paint(
    photo: str = "chelsea", styles: tuple[str, ...] = (GLASS,), more: Any = None, **settings: Any
) -> Image.Image:
    """Return a painting as a Pillow image."""
    files = [HERE / "styles" / f"{style}.jpg" for style in styles]
    chosen = Settings(**{"size": SIZE, "encoder": "narrow", **settings})
    *_, frame = stylize(HERE / "photos" / f"{photo}.jpg", files, chosen, **(more or {}))
    return Image.fromarray(frame.image)


def picture(folder: str, name: str) -> Image.Image:
    """Return an example at the width of a painting."""
    with Image.open(HERE / folder / f"{name}.jpg") as found:
        found = found.convert("RGB")
    return found.resize((SIZE, round(SIZE * found.height / found.width)), Image.Resampling.LANCZOS)


def masks() -> tuple[Image.Image, Image.Image, Image.Image]:
    """Return, for the astronaut: what to keep, the second style's region, and both drawn over the photo."""
    photo = picture("photos", "astronaut")
    keep, region = (Image.new("L", photo.size) for _ in range(2))
    ImageDraw.Draw(keep).ellipse([SIZE * x for x in (0.34, 0.06, 0.56, 0.36)], fill=255)
    ImageDraw.Draw(region).rectangle((SIZE * 0.62, 0, SIZE, SIZE), fill=255)
    shown = np.asarray(photo, float)
    for mask, color in ((keep, (255, 255, 255)), (region, (0, 130, 255))):
        cover = np.asarray(mask, float)[..., None] / 255 * 0.65
        shown = shown * (1 - cover) + np.array(color) * cover
    return keep, region, Image.fromarray(shown.round().astype(np.uint8))


def blend() -> dict[str, Image.Image]:
    """Two styles in three proportions."""
    both = (GLASS, INK)
    return {
        f"{first:g} : {second:g}": paint(styles=both, blend_1=first, blend_2=second)
        for first, second in ((1.0, 0.0), (0.5, 0.5), (0.0, 1.0))
    }


def scale() -> dict[str, Image.Image]:
    """Strokes of half and double size."""
    return {f"{factor:g}": paint(style_scale=factor) for factor in (0.5, 1.0, 2.0)}


def colors() -> dict[str, Image.Image]:
    """Whose colours."""
    return {name: paint("coffee", (WAVES,), colors=name) for name in KNOBS["colors"].choices}


def where() -> dict[str, Image.Image]:
    """A face kept, a second style on the right."""
    keep, region, drawn = masks()
    more = {"keep": keep, "regions": [None, region]}
    return {"drawn": drawn, "painted": paint("astronaut", (GLASS, INK), more)}


def start() -> dict[str, Image.Image]:
    """What was on the canvas first."""
    own = {"start": HERE / "styles" / "marbling.jpg"}
    found = {name: paint(initial=name) for name in ("content", "style", "noise")}
    found["picture (marbling)"] = paint(initial="picture", more=own)
    found["content, noise 0.6"] = paint(initial_noise=0.6)
    return found


def layers() -> dict[str, Image.Image]:
    """Which layers see the style."""
    return {
        text: paint("rocket", ("night_current",), style_layers=text)
        for text in ("auto", "low", "gatys", "crowsonkb")
    }


def smoothness() -> dict[str, Image.Image]:
    """Total variation."""
    return {f"{value:g}": paint("coffee", (INK,), smoothness=value) for value in (0.0, 5.0, 10.0)}


def pooling() -> dict[str, Image.Image]:
    """How the network shrinks what it sees."""
    return {name: paint("coffee", ("marbling",), pooling=name) for name in ("max", "average")}


def optimizer() -> dict[str, Image.Image]:
    """The same number of steps by each optimiser."""
    return {name: paint("coffee", ("marbling",), optimizer=name) for name in KNOBS["optimizer"].choices}


def seed() -> dict[str, Image.Image]:
    """From other noise."""
    return {str(n): paint("rocket", ("marbling",), initial="noise", seed=n) for n in (0, 1, 2)}


def size() -> dict[str, Image.Image]:
    """The same painting at four times the size: all of it, and its middle as it is."""
    small, large = paint(), paint(size=4 * SIZE)
    half = (large.width // 2 - SIZE // 2, large.height // 2 - small.height // 2)
    return {
        f"{SIZE} px": small,
        f"{4 * SIZE} px, reduced": large.resize(small.size, Image.Resampling.LANCZOS),
        f"{4 * SIZE} px, its middle": large.crop((*half, half[0] + SIZE, half[1] + small.height)),
    }


ROWS = (blend, scale, colors, where, start, layers, smoothness, pooling, optimizer, seed, size)


def row(pictures: dict[str, Image.Image]) -> Image.Image:
    """Return pictures side by side, each with its name under it."""
    height = max(picture.height for picture in pictures.values())
    sheet = Image.new("RGB", (len(pictures) * (SIZE + 8) - 8, height + 26), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(15)
    for place, (name, picture) in enumerate(pictures.items()):
        left = place * (SIZE + 8)
        sheet.paste(picture, (left, 0))
        pen.text((left + SIZE / 2, height + 13), name, "black", font, anchor="mm")
    return sheet


def main() -> None:
    """Paint the rows."""
    OUT.mkdir(exist_ok=True)
    for make in ROWS:
        if len(sys.argv) < 2 or make.__name__ in sys.argv[1:]:
            row(make()).save(OUT / f"{make.__name__}.jpg", quality=85)


if __name__ == "__main__":
    main()
