"""How good paintings are, measured in the same way for our encoders and for others' recipes.

    python -m nst.lab.quality --photos FOLDER --styles FOLDER --weights vgg19.safetensors \
        --by narrow vgg19 crowsonkb plain-pyramid --keep FOLDER --sheet sheet.jpg

Everything is measured on the finished 8-bit pictures with VGG-19, as each painter's own loss would favour it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from nst.errors import InputError
from nst.host.allocator import keep_freed
from nst.host.device import pick_device
from nst.image.picture_files import encode_png, load_image
from nst.image.tensors import fit, fit_area, resize, to_pixels
from nst.lab.recipes import RECIPES
from nst.optimization.encoders import load_encoders
from nst.optimization.loss_terms import relative_error
from nst.painting import stylize
from nst.settings import KNOBS, Settings
from nst.vgg.encoder import Encoder
from nst.vgg.layers import PRESETS
from nst.vgg.moments import gram_matrix
from nst.vgg.weights import VGG19, find_vgg19

STYLE_LAYERS = tuple(PRESETS["gatys"])
CONTENT_LAYERS = ("relu3_3", "relu4_2")
# Where the faces are, by the name of the photo: left, top, right, bottom as shares of its sides.
FACES = {"astronaut": (0.33, 0.07, 0.56, 0.37), "chelsea": (0.28, 0.22, 0.78, 0.92)}
# Where the subject is, by the name of the style.
SUBJECTS = {
    **FACES,
    "in_bed": (0.38, 0.25, 0.82, 0.47),
    "dance_foyer": (0.62, 0.36, 0.97, 0.72),
    "picasso_selfport1907": (0.25, 0.10, 0.80, 0.75),
    "straw_hat": (0.20, 0.20, 0.75, 0.75),
    "the_scream": (0.30, 0.55, 0.75, 0.95),
    "raccoon": (0.45, 0.10, 0.95, 0.70),
}
ECHOED_AT = 384  # pixels on the longest side
OWN = tuple(name for name in KNOBS["encoder"].choices if name != "auto")
Box = tuple[float, float, float, float]
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True)
class Score:
    """What was measured of one painting."""

    residual: float  # mean over STYLE_LAYERS of |G - G*|^2 / |G*|^2; 0 is the style's own texture
    deep: float  # of the deepest of them alone: large shapes
    half: float  # the same with painting and style at half the size
    double: float  # and at double the size
    edges: float  # |F - F*|^2 / |F*|^2 at relu3_3; 0 is the photo
    content: float  # at relu4_2
    face_edges: float  # the same two inside the photo's face, NaN where it has none
    face: float
    echo: float  # of the style's subject anywhere in the painting, NaN where it has none
    grain: float  # energy of the highest octave of luminance, the style's own being 1
    next: float  # of the octave below
    chroma: float  # of the highest octave of chroma
    clipped: float  # share of samples that are 0 or 255
    seconds: float


class Yardstick:
    """Measures paintings with VGG-19.

    Args:
        convolutions: VGG-19's, up to relu5_1.
    """

    def __init__(self, convolutions: Mapping[str, Tensor]) -> None:
        self.encoder = Encoder(convolutions, name="yardstick", device=pick_device())
        # A style is the same for every painter: it and its Gram matrices, by identity and size.
        self.styles: dict[tuple[int, float, tuple[int, ...]], tuple[Tensor, dict[str, Tensor]]] = {}

    @torch.no_grad()
    def measure(
        self,
        painting: np.ndarray,
        photo: Tensor,
        style: Tensor,
        seconds: float = 0.0,
        face: Box | None = None,
        subject: Box | None = None,
    ) -> Score:
        """Return the score of a painting, (H, W, 3) uint8, made from `photo` and `style`.

        Args:
            painting: what is measured.
            photo: (1, 3, h, w).
            seconds: that it took.
            face: where the photo has one.
            subject: where the style has one.
        """
        image = torch.from_numpy(painting.copy()).permute(2, 0, 1)[None].float().to(self.encoder.device) / 255
        height, width = painting.shape[:2]
        sized = resize(photo.to(image.device), (width, height)).clamp(0, 1)
        target = resize(
            style.to(image.device), fit_area(style.shape[-1], style.shape[-2], width * height)
        ).clamp(0, 1)
        seen, wanted = (self.encoder(p, CONTENT_LAYERS) for p in (image, sized))
        edges, content = (float(relative_error(seen[name], wanted[name])) for name in CONTENT_LAYERS)
        face_edges, face_content = (
            float(relative_error(_inside(seen[name], face), _inside(wanted[name], face)))
            if face
            else math.nan
            for name in CONTENT_LAYERS
        )
        residuals = self._residuals(image, style, target, 1)
        own = octaves(target)
        grain = {name: energy / max(own[name], 1e-9) for name, energy in octaves(image).items()}
        return Score(
            residual=_average(residuals),
            deep=residuals[-1],
            half=_average(self._residuals(image, style, target, 0.5)),
            double=_average(self._residuals(image, style, target, 2)),
            edges=edges,
            content=content,
            face_edges=face_edges,
            face=face_content,
            echo=self.echo(image, style, subject) if subject else math.nan,
            grain=grain["luminance 1"],
            next=grain["luminance 2"],
            chroma=grain["chroma 1"],
            clipped=float(np.isin(painting, (0, 255)).mean()),
            seconds=seconds,
        )

    @torch.no_grad()
    def echo(self, image: Tensor, style: Tensor, subject: Box) -> float:
        """Return how much of a style's subject can be found anywhere in a picture.

        For each position of relu5_1 inside the subject the best cosine similarity with any position of the
        picture, both less the style's mean feature; the mean of these. A photo itself has 0.1 to 0.25.

        Args:
            image: (1, 3, H, W).
            style: (1, 3, h, w).
            subject: where in the style it is.
        """
        wanted, seen = (
            self.encoder(
                resize(
                    picture.to(self.encoder.device), fit(picture.shape[-1], picture.shape[-2], ECHOED_AT)
                ).clamp(0, 1),
                ["relu5_1"],
            )["relu5_1"].float()
            for picture in (style, image)
        )
        mean = wanted.mean((2, 3), keepdim=True)
        parts, found = (
            F.normalize(each[0].flatten(1), dim=0) for each in (_inside(wanted - mean, subject), seen - mean)
        )
        return float((parts.T @ found).amax(1).mean())

    def _residuals(self, image: Tensor, style: Tensor, target: Tensor, factor: float) -> list[float]:
        key = (id(style), factor, tuple(target.shape))
        if key not in self.styles:
            self.styles[key] = style, self._grams(target, factor)
        grams, wanted = self._grams(image, factor), self.styles[key][1]
        return [float(relative_error(grams[name], wanted[name])) for name in STYLE_LAYERS]

    def _grams(self, picture: Tensor, factor: float) -> dict[str, Tensor]:
        width, height = (max(16, round(side * factor)) for side in (picture.shape[-1], picture.shape[-2]))
        features = self.encoder(resize(picture, (width, height)).clamp(0, 1), STYLE_LAYERS)
        return {name: gram_matrix(value) for name, value in features.items()}


def octaves(image: Tensor) -> dict[str, float]:
    """Return the mean square of what halving the size once, and once more, takes from a picture.

    Of luminance (Rec. 709) and of chroma, the differences of red and blue from it.

    Args:
        image: (1, 3, H, W).
    """
    weights = torch.tensor([0.2126, 0.7152, 0.0722], device=image.device).view(1, 3, 1, 1)
    grey = (image * weights).sum(1, keepdim=True)
    parts = {"luminance": grey, "chroma": image[:, ::2] - grey}
    energies = {}
    for name, part in parts.items():
        sharp = part
        for octave in (1, 2):
            height, width = sharp.shape[-2:]
            smaller = resize(sharp, (max(1, width // 2), max(1, height // 2)))
            energies[f"{name} {octave}"] = float((sharp - resize(smaller, (width, height))).square().mean())
            sharp = smaller
    return energies


def _inside(features: Tensor, box: Box) -> Tensor:
    """Return the positions of a feature map, (1, C, H, W), inside a box."""
    height, width = features.shape[-2:]
    left, top, right, bottom = (round(b * side) for b, side in zip(box, (width, height) * 2, strict=True))
    return features[..., top:bottom, left:right]


@dataclass(frozen=True)
class Painter:
    """One of our encoders, or a recipe of others."""

    name: str
    recipe: str  # its settings, by which a kept painting is found again
    paint: Callable[[Tensor, Tensor], np.ndarray]


def find_painter(name: str, settings: Settings) -> Painter:
    """Return our own encoder or a peer's recipe by name.

    Raises:
        InputError: there is no painter of this name, or its weights cannot be used.
    """
    if name in RECIPES:
        recipe = RECIPES[name]
        weights = find_vgg19(settings.weights)
        encoder = Encoder(weights, name=VGG19, device=pick_device(), precision=torch.float32)

        def by_recipe(photo: Tensor, style: Tensor) -> np.ndarray:
            return to_pixels(
                recipe(encoder, photo.to(encoder.device), style.to(encoder.device), settings.size)
            )

        return Painter(name, f"{name} at {settings.size}", by_recipe)
    if name not in OWN:
        raise InputError(f"There is no painter {name}; known ones are {', '.join((*OWN, *RECIPES))}.")
    own = dataclasses.replace(settings, encoder=name)
    encoders = load_encoders(own)

    def paint(photo: Tensor, style: Tensor) -> np.ndarray:
        *_, frame = stylize(photo, style, own, encoder=encoders)
        return frame.image

    return Painter(name, json.dumps(own.public()), paint)


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
    pictures = {path.stem: load_image(path) for path in files if not only or path.stem in only}
    if not pictures:
        raise InputError(f"{folder.name} holds no pictures to measure with.")
    return pictures


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m nst.lab.quality", description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True, help="folder of photos")
    parser.add_argument("--styles", type=Path, required=True, help="folder of styles; every pair is painted")
    parser.add_argument("--only", nargs="*", default=[], help="names of photos and styles to keep to")
    parser.add_argument(
        "--by",
        nargs="+",
        default=["narrow"],
        help=f"who paints: {', '.join(OWN)} with our settings, or a recipe: {', '.join(RECIPES)}",
    )
    parser.add_argument(
        "--weights",
        default="",
        help="the yardstick's VGG-19, complete to relu5_1; by default the package's own",
    )
    parser.add_argument("--settings", default="{}", help='JSON of how to paint, such as {"size": 256}')
    parser.add_argument("--sheet", type=Path, help="picture file: a row of photo, style and results per pair")
    parser.add_argument(
        "--keep",
        type=Path,
        help="folder for the paintings; what is there is not painted again, even by changed code",
    )
    options = parser.parse_args(arguments)
    keep_freed()
    try:
        convolutions = find_vgg19(options.weights)
        settings = dataclasses.replace(Settings.from_json(options.settings), weights=options.weights)
        photos = _pictures(options.photos, options.only)
        styles = _pictures(options.styles, options.only)
        painters = [find_painter(name, settings) for name in options.by]
        measure(Yardstick(convolutions), photos, styles, painters, options.sheet, options.keep)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def measure(
    yardstick: Yardstick,
    photos: dict[str, Tensor],
    styles: dict[str, Tensor],
    painters: list[Painter],
    sheet_file: Path | None,
    folder: Path | None,
) -> None:
    """Let every painter paint every pair and measure it; print a table, write sheet and paintings."""
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    names = [field.name for field in dataclasses.fields(Score)]
    print(f"{'photo':14} {'style':16} {'by':14}" + "".join(f"{name:>10}" for name in names))
    scores: dict[str, list[Score]] = {painter.name: [] for painter in painters}
    rows = []
    for photo_name, photo in photos.items():
        for style_name, style in styles.items():
            row = [to_pixels(photo), to_pixels(style)]
            for painter in painters:
                file = folder / f"{photo_name}-{style_name}-{painter.name}.png" if folder else None
                pixels, seconds = _painted(painter, photo, style, file)
                score = yardstick.measure(
                    pixels, photo, style, seconds, FACES.get(photo_name), SUBJECTS.get(style_name)
                )
                scores[painter.name].append(score)
                row.append(pixels)
                _print_row(photo_name, style_name, painter.name, score)
            rows.append(row)
    for name, measured in scores.items():
        means = {field: _average([getattr(score, field) for score in measured]) for field in names}
        _print_row("mean", "", name, Score(**means))
    if sheet_file:
        sheet(rows).save(sheet_file, quality=90)


def _average(values: list[float]) -> float:
    """Return the mean of those that are numbers."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def _painted(painter: Painter, photo: Tensor, style: Tensor, file: Path | None) -> tuple[np.ndarray, float]:
    """Return a painting and how long it took, from `file` if it holds just that."""
    if file and file.exists():
        with Image.open(file) as kept:
            if kept.info.get("Recipe") == painter.recipe:
                return np.asarray(kept.convert("RGB")), float(kept.info["Seconds"])
    began = time.monotonic()
    pixels = painter.paint(photo, style)
    seconds = time.monotonic() - began
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encode_png(pixels, {"Recipe": painter.recipe, "Seconds": str(seconds)}))
    return pixels, seconds


def _print_row(photo: str, style: str, painter: str, score: Score) -> None:
    values = "".join(
        f"{value:10.1f}" if name == "seconds" else f"{value:10.4f}"
        for name, value in dataclasses.asdict(score).items()
    )
    print(f"{photo:14} {style:16} {painter:14}{values}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
