"""`stylize_clip`: a clip in, frames of the painted clip out, each beginning as the one before it, moved."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from nst.clips.flow import estimate, moved, opencv, reliable, settled
from nst.clips.reading import Clip, open_clip
from nst.clips.steady import SteadyObjective
from nst.host.torch_state import each_in_own_state
from nst.image.tensors import resize, to_tensor
from nst.inputs import Inputs
from nst.optimization.frames import Frame
from nst.optimization.loop import Controls, Optimization
from nst.optimization.pyramid import Scale
from nst.optimization.working_pictures import WorkingPictures
from nst.painting import optimization
from nst.settings import Settings
from nst.vgg.encoder import Encoder

# Weight of the temporal loss (nst/lab/quality.md says what it was measured by).
STEADINESS = 0.5
# Iterations of a frame after the first: as shares of the last size's, and of all that a still gets.
_OF_LAST, _OF_ALL, _LEAST = 0.6, 0.15, 3
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
    """

    def __init__(self, inputs: Inputs[Tensor], settings: Settings, before: Tensor, holds: Tensor) -> None:
        super().__init__(inputs, settings)
        self._before, self._holds = before, holds

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


def stylize_clip(
    clip: str | Path | Clip,
    styles: Any,
    settings: Settings | Mapping[str, Any] | None = None,
    *,
    keep: Any = None,
    regions: Sequence[Any] = (),
    style_masks: Sequence[Any] = (),
    encoder: Encoder | tuple[Encoder, ...] | None = None,
    stop: Callable[[], bool] = bool,
    interval: float = 0.25,
) -> Generator[ClipFrame, None, None]:
    """Paint a clip in the manner of `styles` without flicker, yielding its frames as they develop.

    Ruder, Dosovitskiy and Brox, "Artistic Style Transfer for Videos" (GCPR 2016): the first frame, and the
    first after a cut, is painted as a photo is. Each other begins as the painting before it, moved by the
    optical flow between the two; where that flow holds, a squared difference from it is added to the
    objective, and where it does not, the photo's detail comes in.

    Args:
        clip: a file, or what `open_clip` made of it.
        styles: as for `stylize`, with the masks too, which hold for the whole clip.
        settings: as for `stylize`. `initial` is for the first frame of each scene, the time limit for each
            frame; a clip has no transparency.
        stop: asked at every iteration; once it returns true the frame as it is becomes the last.
        interval: seconds between frames of the painting, 0 for every iteration.

    Returns:
        The frames; one at a time is held in memory.

    Raises:
        InputError: the clip, a picture or the settings cannot be used, or OpenCV is not installed.
    """
    if isinstance(settings, Mapping):
        settings = Settings.from_dict(dict(settings))
    settings = replace(settings or Settings(), transparency=False)
    opencv()  # before anything is painted
    opened = clip if isinstance(clip, Clip) else open_clip(clip)
    controls = Controls(stop, None, interval)
    given: Inputs[Any] = Inputs(None, tuple(styles) if _several(styles) else (styles,), keep, tuple(regions))
    given = replace(given, style_masks=tuple(style_masks))
    return each_in_own_state(_frames(opened, given, settings, encoder, controls))


def _several(styles: Any) -> bool:
    return isinstance(styles, list | tuple)


def _frames(
    clip: Clip, given: Inputs[Any], settings: Settings, encoder: Any, controls: Controls
) -> Generator[ClipFrame, None, None]:
    run: Optimization | None = None
    before: Any = None
    for number, pixels in enumerate(clip.frames(settings.size)):
        photo = to_tensor(pixels)
        following = None
        if run is not None:
            inputs = replace(run.pictures.inputs, photo=photo)
            following = _followed(run, inputs, before, pixels, settings, controls)
        run = following or optimization(replace(given, photo=photo), settings, encoder, controls)
        before = pixels
        for frame in run.frames():
            yield ClipFrame(frame, number, clip.count)
        if controls.stop():
            return


def _followed(
    run: Optimization,
    inputs: Inputs[Tensor],
    before: np.ndarray,
    pixels: np.ndarray,
    settings: Settings,
    controls: Controls,
) -> Optimization | None:
    """Return the run of a frame that follows another, None if it is another scene."""
    back, forth = settled(estimate(pixels, before)), settled(estimate(before, pixels))
    holds = reliable(back, forth)
    if float(holds.mean()) < _CUT or run.canvas is None:
        return None
    device = run.canvas.device
    canvas = moved(resize(run.canvas, (pixels.shape[1], pixels.shape[0])), back.to(device))
    last = run.plan.scales[-1]
    iterations = max(_LEAST, min(round(_OF_LAST * last.iterations), round(_OF_ALL * settings.iterations)))
    if last.encoder:  # the second encoder's share is small already
        iterations = last.iterations
    # Of the size that the first frame ended with, whatever memory made of the settings'.
    scale = replace(run.plan.scales[-1], iterations=iterations)
    pictures = Following(
        inputs.map(lambda role, picture: picture.to(device)), settings, canvas, holds.to(device)
    )
    return Optimization(pictures, settings, run.encoders, [scale], controls)


def _detailed(canvas: Tensor, photo: Tensor) -> Tensor:
    """Return the canvas's coarse strokes with the detail of the photo."""
    size = (photo.shape[-1], photo.shape[-2])
    coarse = (max(1, size[0] // _COARSER), max(1, size[1] // _COARSER))
    return resize(resize(canvas, coarse), size) + photo - resize(resize(photo, coarse), size)
