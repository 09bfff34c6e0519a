"""`stylize_clip`: a clip in, frames of the painted clip out, each beginning as the one before it, moved."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from nst.clips.flow import estimate, moved, opencv, reliable, settled, unchanged
from nst.clips.reading import Clip, open_clip
from nst.clips.steady import SteadyObjective
from nst.host.torch_state import each_in_own_state
from nst.image.tensors import fit, resize, to_tensor
from nst.inputs import Inputs
from nst.optimization.frames import Frame
from nst.optimization.loop import Controls, Optimization
from nst.optimization.pyramid import Scale
from nst.optimization.working_pictures import WorkingPictures
from nst.painting import optimization, styles_of
from nst.settings import Settings
from nst.vgg.encoder import Encoder

# Weight of the temporal loss (nst/lab/quality.md says what it was measured by).
STEADINESS = 0.2
# Iterations of a frame after the first: as shares of the last size's, and of all that a still gets.
_OF_LAST, _OF_ALL, _LEAST = 0.6, 0.15, 3
# What a frame after the first takes of a still's time (nst/lab/quality.md).
_SHARE = 0.3
# With less of a frame to be relied on it is another scene.
_CUT = 0.25
# How much coarser than the painting the strokes are that a part that comes into sight takes over.
_COARSER = 8


@dataclass(frozen=True)
class ClipFrame:
    """A frame of a clip while it is painted."""

    frame: Frame  # of the painting; final when the clip goes on to the next
    number: int  # of the clip's frames, from 0
    count: int | None  # of them, as far as the file says
    seconds: float = 0.0  # of work on the clip so far
    remaining: float = 0.0  # seconds until the clip is finished, as far as is known

    @property
    def done(self) -> bool:
        """Whether this frame of the clip is painted."""
        return self.frame.final


class Following(WorkingPictures):
    """A frame of a clip, and what the painting of the one before it has become in its place.

    Args:
        inputs: as for `WorkingPictures`.
        settings: how to paint.
        before: (1, C, H, W), the painting before, moved.
        holds: (1, 1, H, W), 1 where that is to be relied on, else 0.
        still: (1, 1, H, W), from 0 to 1, where the clip has not changed, and neither has the painting to.
    """

    def __init__(
        self, inputs: Inputs[Tensor], settings: Settings, before: Tensor, holds: Tensor, still: Tensor
    ) -> None:
        super().__init__(inputs, settings)
        self._before, self._holds, self._still = before, holds, still

    @property
    def resumed(self) -> Tensor:
        """The canvas to begin with: what comes into sight has the photo's detail over the strokes there."""
        return torch.lerp(_detailed(self._before, self.colored(self.inputs.photo)), self._before, self._holds)

    def objective(self, encoder: Encoder, scale: Scale) -> Any:
        """Return what is to be minimised, the difference from the painting before included."""
        size = scale.size
        return SteadyObjective(
            super().objective(encoder, scale),
            resize(self._before, size),
            resize(self._holds, size).clamp(0, 1),
            STEADINESS,
        )

    def steadied(self, canvas: Tensor) -> Tensor:
        """Return a canvas with the painting before where the clip stands still, which drifts otherwise."""
        size = (canvas.shape[-1], canvas.shape[-2])
        return torch.lerp(canvas, resize(self._before, size), resize(self._still, size).clamp(0, 1))

    def finished(self, canvas: Tensor) -> Tensor:
        """Return a canvas as people get it."""
        return super().finished(self.steadied(canvas))


def seconds_of(still: float, count: int) -> float:
    """Return the seconds that a clip takes.

    Args:
        still: seconds of one frame, painted as a photo.
        count: frames.
    """
    return still * (1 + _SHARE * (count - 1))


def stylize_clip(
    clip: str | Path | Clip | np.ndarray,
    styles: Any,
    settings: Settings | Mapping[str, Any] | None = None,
    *,
    keep: Any = None,
    regions: Sequence[Any] = (),
    style_masks: Sequence[Any] = (),
    start: Any = None,
    resume: Any = None,
    encoder: Encoder | tuple[Encoder, ...] | None = None,
    stop: Callable[[], bool] = bool,
    steer: Callable[[], Settings | None] | None = None,
    interval: float = 0.25,
) -> Generator[ClipFrame, None, None]:
    """Paint a clip in the manner of `styles` without flicker, yielding its frames as they develop.

    Ruder, Dosovitskiy and Brox, "Artistic Style Transfer for Videos" (GCPR 2016): the first frame, and the
    first after a cut, is painted as a photo is. Each other begins as the painting before it, moved by the
    optical flow between the two; where that flow holds, a squared difference from it is added to the
    objective, and where it does not, the photo's detail comes in.

    Args:
        clip: a file, what `open_clip` made of it, or its frames, (N, H, W, 3) uint8.
        styles: as for `stylize`, with the masks too, which hold for the whole clip.
        settings: as for `stylize`. `initial` is for the first frame of each scene, the time limit for the
            whole clip; a clip has no transparency.
        start: as for `stylize`.
        resume: a painting of the clip's first frame; what comes is its second frame and those that follow.
        stop: asked at every iteration; once it returns true the frame as it is becomes the last.
        steer: as for `stylize`.
        interval: seconds between frames of the painting, 0 for every iteration.

    Returns:
        The frames; one at a time is held in memory.

    Raises:
        InputError: the clip or the settings cannot be used, or OpenCV is not installed; with the first frame,
            a picture cannot.
    """
    if isinstance(settings, Mapping):
        settings = Settings.from_dict(dict(settings))
    settings = replace(settings or Settings(), transparency=False)
    opencv()  # before anything is painted
    frames: Iterable[np.ndarray]
    count: int | None
    if isinstance(clip, np.ndarray):
        frames, count = (_fitted(pixels, settings.size) for pixels in clip), len(clip)
    else:
        opened = clip if isinstance(clip, Clip) else open_clip(clip)
        frames, count = opened.frames(settings.size), opened.count
    given: Inputs[Any] = Inputs(
        None, styles_of(styles), keep, tuple(regions), start, resume, tuple(style_masks)
    )
    controls = Controls(stop, steer, interval)
    return each_in_own_state(_frames(frames, count, given, settings, encoder, controls))


def _fitted(pixels: np.ndarray, longest: int) -> np.ndarray:
    size = fit(pixels.shape[1], pixels.shape[0], longest)
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def _frames(
    frames: Iterable[np.ndarray],
    count: int | None,
    given: Inputs[Any],
    settings: Settings,
    encoder: Any,
    controls: Controls,
) -> Generator[ClipFrame, None, None]:
    spent, each, late = 0.0, 0.0, False  # seconds: in all so far, and of a frame

    def stop() -> bool:
        return late or controls.stop()

    controls_of_each = replace(controls, stop=stop)
    scene: _Scene | None = None
    for number, pixels in enumerate(frames):
        run = scene.follow(pixels) if scene else None
        if scene is None or run is None:
            run = optimization(replace(given, photo=to_tensor(pixels)), settings, encoder, controls_of_each)
            scene = _Scene(run, pixels, controls_of_each)
            if given.resume is not None:
                given = replace(given, resume=None)
                continue
        for frame in run.frames():
            seconds = spent + frame.seconds
            late = late or seconds > settings.time_limit
            if late and frame.final:
                notice = f"The time limit of {settings.time_limit:g} seconds was reached."
                frame = replace(frame, notice=notice)
            expected = each or _SHARE * (frame.seconds + frame.remaining)
            remaining = frame.remaining + expected * max(0, (count or 0) - number - 1)
            yield ClipFrame(frame, number, count, seconds, remaining)
        spent = seconds
        if isinstance(run.pictures, Following):
            each = each + (frame.seconds - each) / 4 if each else frame.seconds
        settings = run.settings
        if stop():
            return


class _Scene:
    """The frames between two cuts.

    Args:
        first: the run of its first frame.
        pixels: that frame, (H, W, 3) uint8.
        controls: what is asked on the way.
    """

    def __init__(self, first: Optimization, pixels: np.ndarray, controls: Controls) -> None:
        self.controls = controls
        self.first = self.run = first
        self.pixels = pixels
        self.painted_from = to_tensor(pixels)  # each part as it was when it was last painted

    def follow(self, pixels: np.ndarray) -> Optimization | None:
        """Return the run of the next frame, None if that is another scene."""
        back, forth = settled(estimate(pixels, self.pixels)), settled(estimate(self.pixels, pixels))
        holds = reliable(back, forth)
        canvas = self.run.canvas
        if float(holds.mean()) < _CUT or canvas is None:
            return None
        if isinstance(self.run.pictures, Following):
            canvas = self.run.pictures.steadied(canvas)
        photo = to_tensor(pixels)
        still = unchanged(photo, self.painted_from, back)
        self.painted_from = torch.lerp(photo, self.painted_from, (still > 0.5).float())
        self.pixels = pixels
        device = canvas.device
        back, holds, still = (each.to(device) for each in (back, holds, still))
        before = moved(resize(canvas, (pixels.shape[1], pixels.shape[0])), back)
        inputs = replace(self.first.pictures.inputs, photo=photo.to(device))
        settings = self.run.settings  # which may have been steered
        pictures = Following(inputs, settings, before, holds, still)
        scale = _last_scale(self.first, settings)
        self.run = Optimization(pictures, settings, self.first.encoders, [scale], self.controls)
        return self.run


def _last_scale(scene: Optimization, settings: Settings) -> Scale:
    """Return the size that a scene's first frame ended with, and what its other frames get."""
    last = scene.plan.scales[-1]
    if last.encoder:  # the second encoder's share is small already
        return last
    iterations = max(_LEAST, min(round(_OF_LAST * last.iterations), round(_OF_ALL * settings.iterations)))
    return replace(last, iterations=iterations)


def _detailed(canvas: Tensor, photo: Tensor) -> Tensor:
    """Return the canvas's coarse strokes with the detail of the photo."""
    size = (photo.shape[-1], photo.shape[-2])
    coarse = (max(1, size[0] // _COARSER), max(1, size[1] // _COARSER))
    return resize(resize(canvas, coarse), size) + photo - resize(resize(photo, coarse), size)
