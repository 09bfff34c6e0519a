"""How steady painted clips are: by the method, frame by frame, and with plain blending.

    python -m nst.lab.clips --size 256 --frames 12

The clips are made here of the project's photos, so that their motion is known exactly: a pan, a zoom, and a
cut-out that moves before a background that stands still.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nst.clips.clip import stylize_clip
from nst.clips.flow import moved
from nst.clips.reading import Clip
from nst.host.allocator import keep_freed
from nst.image.picture_files import load_image
from nst.image.tensors import resize, to_pixels, to_tensor
from nst.inputs import Inputs
from nst.optimization.loop import Controls
from nst.painting import optimization, stylize
from nst.settings import Settings

_EXAMPLES = Path(__file__).parents[2] / "examples"
_PHOTO, _OTHER = _EXAMPLES / "photos" / "manhattan.jpg", _EXAMPLES / "photos" / "raccoon.jpg"
# Of the painting before, in plain blending.
_BLEND = 0.5


@dataclass(frozen=True)
class Made(Clip):
    """A clip whose motion is known.

    Args:
        pictures: (1, 3, H, W) each.
        flows: from each frame but the first to the one before it, (1, 2, H, W).
        seen: where what is there was seen in the one before too, (1, 1, H, W), 1 or 0.
    """

    pictures: tuple[Tensor, ...] = ()
    flows: tuple[Tensor, ...] = ()
    seen: tuple[Tensor, ...] = ()

    def frames(self, longest: int) -> Iterator[np.ndarray]:
        """Yield the frames, which are as large as they are."""
        yield from map(to_pixels, self.pictures)


def _made(pictures: Sequence[Tensor], flows: Sequence[Tensor], seen: Sequence[Tensor]) -> Made:
    height, width = pictures[0].shape[-2:]
    seconds = len(pictures) / 24
    return Made(
        Path(), (width, height), Fraction(24), seconds, True, None, True, *map(tuple, (pictures, flows, seen))
    )


def camera(size: int, count: int, *, pan: float = 0.0, zoom: float = 1.0) -> Made:
    """Return a clip by a camera that moves so many pixels, or nears by a factor, from frame to frame."""
    photo = resize(load_image(_PHOTO), (2 * size, 2 * size))
    ys, xs = torch.meshgrid(torch.arange(size) + 0.0, torch.arange(size) + 0.0, indexing="ij")
    middle = (size - 1) / 2

    def place(number: int) -> Tensor:
        """Return where in the photo each pixel of a frame is, (2, H, W)."""
        scale = zoom**-number
        return torch.stack(
            [(xs - middle) * scale + size + pan * number - pan * count / 2, (ys - middle) * scale + size]
        )

    def shot(number: int) -> Tensor:
        grid = torch.stack(torch.meshgrid(torch.arange(2.0 * size), torch.arange(2.0 * size), indexing="xy"))
        flow = place(number) - grid[:, :size, :size]
        return moved(photo, torch.nn.functional.pad(flow, (0, size, 0, size))[None])[..., :size, :size].clamp(
            0, 1
        )

    flows = []
    for _ in range(1, count):
        x = (xs - middle) / zoom + middle + pan
        y = (ys - middle) / zoom + middle
        flows.append(torch.stack([x - xs, y - ys])[None])
    inside = [
        (
            (xs + flow[0, 0] >= 0)
            & (xs + flow[0, 0] <= size - 1)
            & (ys + flow[0, 1] >= 0)
            & (ys + flow[0, 1] <= size - 1)
        )
        for flow in flows
    ]
    return _made(
        [shot(number) for number in range(count)], flows, [each.float()[None, None] for each in inside]
    )


def cut_out(size: int, count: int) -> Made:
    """Return a clip of a round piece of another photo that moves before a photo."""
    photo = resize(load_image(_PHOTO), (size, size)).clamp(0, 1)
    part = size // 3
    piece = resize(load_image(_OTHER), (part, part)).clamp(0, 1)
    rows, columns = torch.meshgrid(torch.linspace(-1, 1, part), torch.linspace(-1, 1, part), indexing="ij")
    disc = (rows.square() + columns.square() < 1).float()
    pictures, masks = [], []
    step, span = max(1, size // 50), size - part
    lefts = [span - abs(span - step * number % (2 * span)) for number in range(count)]  # there and back
    for left in lefts:
        mask, picture = torch.zeros(1, 1, size, size), photo.clone()
        window = (..., slice(size // 3, size // 3 + part), slice(left, left + part))
        mask[window] = disc
        picture[window] = torch.lerp(picture[window], piece, disc)
        pictures.append(picture)
        masks.append(mask)
    flows = [
        torch.tensor([float(before - left), 0.0]).view(1, 2, 1, 1) * mask
        for before, left, mask in zip(lefts, lefts[1:], masks[1:], strict=False)
    ]
    seen = [
        ((moved(before, flow) > 0.5) == (mask > 0.5)).float()
        for before, mask, flow in zip(masks, masks[1:], flows, strict=False)
    ]
    return _made(pictures, flows, seen)


def by_the_method(clip: Made, style: Tensor, settings: Settings) -> Iterator[np.ndarray]:
    """Yield the frames as `stylize_clip` paints them."""
    for each in stylize_clip(clip, style, settings):
        if each.done:
            yield each.frame.image


def frame_by_frame(clip: Made, style: Tensor, settings: Settings) -> Iterator[np.ndarray]:
    """Yield each frame painted by itself."""
    for picture in clip.pictures:
        *_, last = stylize(picture, style, settings)
        yield last.image


def blended(clip: Made, style: Tensor, settings: Settings) -> Iterator[np.ndarray]:
    """Yield each frame painted by itself and mixed with the one before."""
    before: np.ndarray | None = None
    for image in frame_by_frame(clip, style, settings):
        mixed = image if before is None else (1 - _BLEND) * image + _BLEND * before
        before = np.asarray(mixed, np.float32)
        yield before.round().astype(np.uint8)


METHODS: dict[str, Callable[[Made, Tensor, Settings], Iterator[np.ndarray]]] = {
    "frame by frame": frame_by_frame,
    "blended": blended,
    "clip": by_the_method,
}


def warping_error(clip: Made, painted: Sequence[np.ndarray]) -> float:
    """Return the mean squared difference of each frame from the one before it, moved, where both show it."""
    errors = []
    frames = [to_tensor(image) for image in painted]
    for before, after, flow, seen in zip(frames, frames[1:], clip.flows, clip.seen, strict=False):
        difference = (moved(before, flow) - after).square() * seen
        errors.append(float(difference.sum() / seen.sum() / 3))
    return float(np.mean(errors))


def style_residual(clip: Made, painted: Sequence[np.ndarray], style: Tensor, settings: Settings) -> float:
    """Return the style loss of the painted frames in the mean, as of stills."""
    residuals = []
    for picture, image in list(zip(clip.pictures, painted, strict=True))[1:]:
        run = optimization(Inputs(picture, (style,)), settings, None, Controls())
        scale = run.plan.scales[-1]
        run.pictures.set_scale(scale)
        objective = run.pictures.objective(run.encoders[scale.encoder], scale)
        residuals.append(objective(to_tensor(image)).named()["style"])
    return float(np.mean(residuals))


def measure(size: int, count: int, style: Tensor, keep: Path | None) -> Iterator[str]:
    """Yield the table's rows as they are measured."""
    settings = Settings(size=size)
    clips = {
        "pan, 2.5 px": camera(size, count, pan=2.5),
        "zoom, 1 %": camera(size, count, zoom=1.01),
        "cut-out": cut_out(size, count),
    }
    yield "| motion | painted | warping error | of frame by frame | style residual | time of a frame |"
    yield "|---|---|---|---|---|---|"
    for motion, clip in clips.items():
        alone = residual = still = 0.0
        for name, paint in METHODS.items():
            painted, times = [], []
            began = time.monotonic()
            for image in paint(clip, style, settings):
                painted.append(image)
                times.append(time.monotonic() - began)
                began = time.monotonic()
            error, style_error = warping_error(clip, painted), style_residual(clip, painted, style, settings)
            seconds = float(np.median(times[1:]))
            if name == "frame by frame":
                alone, residual, still = error, style_error, seconds
            yield (
                f"| {motion} | {name} | {error:.5f} | {error / alone:.2f} | {style_error / residual:.2f}"
                f" | {seconds / still:.2f} |"
            )
            if keep:
                sheet = np.concatenate([painted[0], painted[count // 2], painted[-1]], 1)
                Image.fromarray(sheet).save(keep / f"{motion.split(',')[0]}-{name.replace(' ', '-')}.png")


def drift(size: int, count: int, style: Tensor, keep: Path | None) -> Iterator[str]:
    """Yield how a background that stands still has changed after so many frames."""
    clip = cut_out(size, count)
    window = np.s_[: size // 4]
    first: np.ndarray | None = None
    for number, image in enumerate(by_the_method(clip, style, Settings(size=size))):
        first = image if first is None else first
        if number in (1, count // 10, count // 4, count // 2, count - 1):
            was, now = first[window].astype(float) / 255, image[window].astype(float) / 255
            rms = float(np.sqrt(np.square(now - was).mean()))
            light, contrast = now.mean() - was.mean(), now.std() / was.std()
            held = f", {_held():.0f} MB held" if _held() else ""
            yield f"frame {number}: light {light:+.4f}, contrast {contrast:.3f}, rms {rms:.3f}{held}"
            if keep:
                Image.fromarray(image).save(keep / f"drift-{number}.png")


def _held() -> float:
    """Return the megabytes of this process, 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20
    except OSError:
        return 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m nst.lab.clips", description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=256, help="pixels of a side")
    parser.add_argument("--frames", type=int, default=12, help="of each clip")
    parser.add_argument("--still", type=int, default=0, metavar="N", help="frames before a still background")
    parser.add_argument("--style", type=Path, default=_EXAMPLES / "styles" / "starry_night.jpg")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where pictures of it go")
    options = parser.parse_args(arguments)
    keep_freed()
    style = load_image(options.style)
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    table = (
        drift(options.size, options.still, style, options.keep)
        if options.still
        else measure(options.size, options.frames, style, options.keep)
    )
    for line in table:
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
