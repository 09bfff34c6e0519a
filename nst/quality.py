"""How good paintings are: one yardstick for all of them.

    python -m nst.quality --photos FOLDER --styles FOLDER --weights vgg19.safetensors --sheet sheet.jpg

Everything is measured on the finished 8-bit pictures with the real VGG-19's convolutions, whatever encoder
painted them; a system's own loss would flatter it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nst.devices import pick_device
from nst.encoder import Encoder
from nst.errors import InputError
from nst.images import fit, fit_area, load_image, resize, to_pixels
from nst.losses import gram_matrix, relative_error
from nst.painting import stylize
from nst.settings import Settings
from nst.weights import find_vgg19, load_encoder

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu3_4")
CONTENT_LAYER = "relu3_3"
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True)
class Score:
    """What was measured of one painting."""

    residual: float  # mean over STYLE_LAYERS of |G - G*|^2 / |G*|^2; 0 is the style's own texture
    content: float  # |F - F*|^2 / |F*|^2 at CONTENT_LAYER; 0 is the photo
    grain: float  # energy of the finest octave of luminance, the style's own being 1
    clipped: float  # share of samples that are 0 or 255
    seconds: float


class Yardstick:
    """Measures paintings with the real VGG-19.

    Args:
        convolutions: VGG-19's, at least up to relu3_4.
    """

    def __init__(self, convolutions: dict[str, Tensor]) -> None:
        self.encoder = Encoder(convolutions, name="yardstick", device=pick_device())

    @torch.no_grad()
    def measure(self, painting: np.ndarray, photo: Tensor, style: Tensor, seconds: float = 0.0) -> Score:
        """Return the score of a painting, (H, W, 3) uint8, made from `photo` and `style`."""
        image = torch.from_numpy(painting).permute(2, 0, 1)[None].float().to(self.encoder.device) / 255
        height, width = painting.shape[:2]
        goal = resize(photo.to(image.device), (width, height)).clamp(0, 1)
        look = resize(
            style.to(image.device), fit_area(style.shape[-1], style.shape[-2], width * height)
        ).clamp(0, 1)
        taps, looks = self.encoder(image, (*STYLE_LAYERS, CONTENT_LAYER)), self.encoder(look, STYLE_LAYERS)
        scene = self.encoder(goal, (CONTENT_LAYER,))[CONTENT_LAYER]
        errors = [float(relative_error(gram_matrix(taps[n]), gram_matrix(looks[n]))) for n in STYLE_LAYERS]
        return Score(
            residual=sum(errors) / len(errors),
            content=float(relative_error(taps[CONTENT_LAYER], scene)),
            grain=fine_energy(image) / max(fine_energy(look), 1e-9),
            clipped=float(np.isin(painting, (0, 255)).mean()),
            seconds=seconds,
        )


def fine_energy(image: Tensor) -> float:
    """Return the mean square of what halving and doubling the size removes from luminance."""
    weights = torch.tensor([0.2126, 0.7152, 0.0722], device=image.device).view(1, 3, 1, 1)
    grey = (image * weights).sum(1, keepdim=True)
    height, width = grey.shape[-2:]
    smooth = resize(resize(grey, (max(1, width // 2), max(1, height // 2))), (width, height))
    return float((grey - smooth).square().mean())


def sheet(rows: list[list[np.ndarray]], side: int = 320) -> Image.Image:
    """Return pictures in rows and columns, each fitted into a square."""
    canvas = Image.new("RGB", (max(map(len, rows)) * side, len(rows) * side), "white")
    for y, row in enumerate(rows):
        for x, pixels in enumerate(row):
            picture = Image.fromarray(pixels)
            picture = picture.resize(fit(*picture.size, side - 8), Image.Resampling.LANCZOS)
            canvas.paste(
                picture, (x * side + (side - picture.width) // 2, y * side + (side - picture.height) // 2)
            )
    return canvas


def _pictures(folder: Path, only: Sequence[str]) -> dict[str, Tensor]:
    files = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in _SUFFIXES]
    found = {path.stem: load_image(path) for path in files if not only or path.stem in only}
    if not found:
        raise InputError(f"{folder.name} holds no pictures to measure with.")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m nst.quality", description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True, help="folder of photos")
    parser.add_argument("--styles", type=Path, required=True, help="folder of styles; every pair is painted")
    parser.add_argument("--only", nargs="*", default=[], help="names of photos and styles to keep to")
    parser.add_argument(
        "--weights", default="", help="the yardstick's VGG-19; by default found as for painting"
    )
    parser.add_argument("--settings", default="{}", help='JSON of how to paint, such as {"encoder": "vgg19"}')
    parser.add_argument("--sheet", type=Path, help="picture file for all results side by side")
    parser.add_argument("--save", type=Path, help="folder for the paintings")
    options = parser.parse_args(arguments)
    try:
        convolutions = find_vgg19(options.weights)
        settings = Settings.from_json(options.settings)
        # The weights measure; painting with them too has to be asked for.
        chosen = {"encoder": "builtin"} if settings.encoder == "auto" else {"weights": options.weights}
        settings = dataclasses.replace(settings, **chosen)
        photos = _pictures(options.photos, options.only)
        styles = _pictures(options.styles, options.only)
        measure(Yardstick(convolutions), photos, styles, settings, options.sheet, options.save)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def measure(
    yardstick: Yardstick,
    photos: dict[str, Tensor],
    styles: dict[str, Tensor],
    settings: Settings,
    sheet_file: Path | None,
    folder: Path | None,
) -> None:
    """Paint and measure every pair, print a table, write sheet and paintings where asked for."""
    encoder = load_encoder(settings)
    print(
        f"{encoder.name}, torch {torch.__version__}, {torch.get_num_threads()} threads, {encoder.precision}"
    )
    print("settings " + json.dumps(settings.public()))
    print(
        f"{'photo':14} {'style':16} {'residual':>9} {'content':>8} {'grain':>6} {'clipped':>8} {'seconds':>8}"
    )
    scores = []
    rows = [[np.full((64, 64, 3), 255, np.uint8), *(to_pixels(style) for style in styles.values())]]
    for photo_name, photo in photos.items():
        row = [to_pixels(photo)]
        for style_name, style in styles.items():
            *_, frame = stylize(photo, style, settings, encoder=encoder)
            score = yardstick.measure(frame.image, photo, style, frame.seconds)
            scores.append(score)
            row.append(frame.image)
            _print_row(photo_name, style_name, score)
            if folder:
                folder.mkdir(parents=True, exist_ok=True)
                Image.fromarray(frame.image).save(folder / f"{photo_name}-{style_name}.png")
        rows.append(row)
    means = {f.name: float(np.mean([getattr(s, f.name) for s in scores])) for f in dataclasses.fields(Score)}
    _print_row("mean", "", Score(**means))
    if sheet_file:
        sheet(rows).save(sheet_file, quality=90)


def _print_row(photo: str, style: str, score: Score) -> None:
    print(
        f"{photo:14} {style:16} {score.residual:9.4f} {score.content:8.3f} {score.grain:6.2f}"
        f" {score.clipped:8.4f} {score.seconds:8.1f}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
