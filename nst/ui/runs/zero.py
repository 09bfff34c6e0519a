"""Painting on Hugging Face's ZeroGPU, in a process of its own that is lent a GPU for a while."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from PIL import Image

from nst.image.pixels import fit, to_pixels
from nst.optimization.encoders import load_encoders
from nst.optimization.frames import Frame
from nst.painting import stylize
from nst.settings import Settings

try:
    import spaces
except ImportError:  # only there on Spaces
    spaces = None

# Whether this host lends its GPU in that way.
ACTIVE = spaces is not None and spaces.config.Config.zero_gpu
# Seconds to ask for: to begin, and for an iteration over a million pixels. Not measured, hence generous.
_BEGINNING, _EACH_MEGAPIXEL = 10.0, 0.4
_LEAST, _MOST = 15.0, 110.0
# Of these, what the finished picture needs to come across.
_CROSSING = 3.0
# Passing frames are no larger when they cross over.
_PASSING = 512
_HERE = torch.device("cpu")
_LATER = "On this host the sliders count from the next Continue on."


@dataclass(frozen=True)
class Job:
    """What crosses over to the other process: small, and nothing that lives on a device."""

    content: np.ndarray  # (H, W, 3) uint8
    styles: tuple[np.ndarray, ...]
    settings: Settings
    more: dict[str, Any]  # further arguments of `stylize`, pictures as Pillow images

    @property
    def duration(self) -> int:
        """Seconds of GPU to ask for."""
        height, width = self.content.shape[:2]
        longest = fit(width, height, self.settings.size)
        pixels = longest[0] * longest[1] / 1e6
        wanted = _BEGINNING + _EACH_MEGAPIXEL * pixels * self.settings.iterations
        return round(min(max(wanted, _LEAST), _MOST))


def frames(
    content: torch.Tensor,
    styles: list[torch.Tensor],
    settings: Settings,
    *,
    stop: Callable[[], bool],
    steer: Callable[[], Settings | None],
    interval: float,
    **more: Any,
) -> Iterator[Frame]:
    """Paint as `stylize` does, but for what is asked of a run on its way.

    Args:
        content: as for `stylize`; all arguments are.
        styles: likewise.
        settings: likewise.
        stop: asked between frames; the last frame then becomes the final one.
        steer: asked between frames; that it cannot be followed is told in the frames' notice.
        interval: likewise.
        more: likewise.
    """
    # Checked here, before any of the visitor's GPU time is spent.
    stylize(content, styles, settings, encoder=load_encoders(settings, _HERE), **more).close()
    job = Job(to_pixels(content), tuple(to_pixels(style) for style in styles), settings, _small(more))
    painting = _on_gpu(job, interval)
    try:
        for frame in painting:
            wanted = steer()
            if wanted is not None and settings.steered(wanted) != settings and not frame.final:
                frame = replace(frame, notice=_LATER)
            if stop() and not frame.final:
                image = np.asarray(
                    Image.fromarray(frame.image).resize(frame.target, Image.Resampling.BICUBIC)
                )
                yield replace(frame, image=image, total=frame.iteration, remaining=0.0, final=True)
                return
            yield frame
    finally:
        painting.close()


def _small(value: Any) -> Any:
    """Return pictures as Pillow images of a byte for each sample; tensors are four times as large."""
    if isinstance(value, dict):
        return {name: _small(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_small(each) for each in value]
    return Image.fromarray(to_pixels(value)) if isinstance(value, torch.Tensor) else value


def _duration(job: Job, interval: float) -> int:
    return job.duration


def _paint(job: Job, interval: float) -> Iterator[Frame]:
    """Paint in the process that has the GPU."""
    # The threads of the process that this one was forked from are not here; waiting for them would never end.
    torch.set_num_threads(1)
    limit = min(job.settings.time_limit, job.duration - _CROSSING)
    settings = replace(job.settings, time_limit=limit)
    for frame in stylize(
        Image.fromarray(job.content),
        [Image.fromarray(style) for style in job.styles],
        settings,
        interval=interval,
        **job.more,
    ):
        if frame.final:
            # What the picture remembers are the visitor's settings.
            yield replace(frame, settings=job.settings)
            continue
        image = Image.fromarray(frame.image)
        if max(image.size) > _PASSING:
            image = image.resize(fit(*image.size, _PASSING), Image.Resampling.BICUBIC)
        yield replace(frame, image=np.asarray(image))


_on_gpu = spaces.GPU(duration=_duration)(_paint) if spaces else _paint
