"""Painting on Hugging Face's ZeroGPU, in a process of its own that is lent a GPU for a while."""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import Generator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from nst import painting
from nst.clips.clip import seconds_of
from nst.errors import InputError
from nst.image.tensors import fit
from nst.inputs import Inputs
from nst.optimization.encoders import load_encoders
from nst.optimization.frames import Frame
from nst.optimization.loop import Controls
from nst.painters.local import Local, clip_frames
from nst.painters.pixels import Pixels, as_given, is_clip
from nst.painters.previews import Preview, clip_previews, previews, resized, small
from nst.settings import Settings
from nst.vgg.weights import find_vgg19

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
_LATER = "On this host the sliders count from the next Continue on."


def frames(pictures: Inputs[Pixels], settings: Settings, controls: Controls) -> Generator[Preview]:
    """Yield frames as `nst.painters.local.frames` does; a notice says that steering is not followed."""
    try:
        if is_clip(pictures.photo):
            yield from clip_previews(_on_gpu(pictures, settings, controls.interval), controls)
        else:
            yield from previews(_paint(pictures, settings, controls), pictures.photo, settings)
    except Exception as error:
        if not hasattr(error, "title"):  # Gradio's way to say that no quota is left, or no GPU free
            raise
        raise InputError(_plain(error)) from error


def warm_up() -> None:
    """Read the weights once, so that they are there for every process that gets a GPU; here is none."""
    with contextlib.suppress(InputError):
        find_vgg19()


class Zero(Local):
    """As `Local`, by the GPU that is lent."""

    frames = staticmethod(frames)
    warm_up = staticmethod(warm_up)


def _paint(pictures: Inputs[Pixels], settings: Settings, controls: Controls) -> Generator[Frame]:
    # Checked here, before any of the visitor's GPU time is spent.
    painting.paint(pictures.map(as_given), settings, load_encoders(settings, torch.device("cpu"))).close()
    with contextlib.closing(_on_gpu(pictures, settings, controls.interval)) as painted:
        for frame in painted:
            wanted = controls.steer() if controls.steer else None
            if not frame.final and wanted is not None and settings.steered(wanted) != settings:
                frame = replace(frame, notice=_LATER)
            if not frame.final and controls.stop():
                whole = resized(frame.image, frame.target)
                frame = replace(frame, image=whole, total=frame.iteration, remaining=0.0, final=True)
            yield frame
            if frame.final:
                return


def _duration(pictures: Inputs[Pixels], settings: Settings, interval: float) -> int:
    """Return the seconds of GPU to ask for."""
    *count, height, width, _ = np.asarray(pictures.photo).shape
    width, height = fit(width, height, settings.size)
    still = _EACH_MEGAPIXEL * width * height / 1e6 * settings.iterations
    wanted = _BEGINNING + seconds_of(still, *(count or [1]))
    return round(min(max(wanted, _LEAST), _MOST))


def _paint_on_gpu(pictures: Inputs[Pixels], settings: Settings, interval: float) -> Generator[Any]:
    """Yield frames, small ones but for the final, in the process that has the GPU; of a clip `ClipFrame`s."""
    # The threads of the process that this one was forked from are not here; waiting for them would never end.
    torch.set_num_threads(1)
    limit = min(settings.time_limit, _duration(pictures, settings, interval) - _CROSSING)
    limited, controls = replace(settings, time_limit=limit), Controls(interval=interval)
    if is_clip(pictures.photo):
        for each in clip_frames(pictures, limited, controls):
            yield each if each.done else replace(each, frame=_small(each.frame))
        return
    for frame in painting.paint(pictures.map(as_given), limited, controls=controls):
        # What the picture remembers are the visitor's settings.
        yield replace(frame, settings=settings) if frame.final else _small(frame)


def _small(frame: Frame) -> Frame:
    return replace(frame, image=small(frame.image))


_on_gpu = spaces.GPU(duration=_duration)(_paint_on_gpu) if spaces else _paint_on_gpu


def _plain(error: Any) -> str:
    """Return what Gradio would show as a box with links, as one line of text."""
    texts = [text for text in (error.title, str(error.message)) if text and text != "Error"]
    return html.unescape(re.sub(r"<[^>]*>|\s+", " ", ": ".join(texts))).strip().rstrip(".") + "."
