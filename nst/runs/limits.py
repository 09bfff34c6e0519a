"""What this host allows a visitor, set by whoever runs it."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from nst.errors import InputError
from nst.host.device import pick_device
from nst.knob import Knob
from nst.runs.own_folder import own_folder
from nst.runs.storage import KEPT_SECONDS
from nst.settings import KNOBS, Settings

SHARP = 768  # longest side in pixels of what looks sharp on a telephone's screen


@dataclass(frozen=True)
class Limits:
    """The most that one run may ask for."""

    size: int  # longest side in pixels
    seconds: float  # wall clock
    waiting: int  # runs in the queue
    each: int = 3  # runs of one visitor, waiting or painting
    disk: int = 2 * 2**30  # bytes of uploads and paintings
    keep: float = KEPT_SECONDS  # for which they are kept after they were last used
    busy: float = 120.0  # seconds that a run may paint while others wait
    grace: float = 30.0  # seconds for which a run goes on though nobody follows it
    frames: int = 48  # of a clip
    clip_size: int = 256  # longest side of a clip in pixels
    begins_with: int = int(KNOBS["size"].default)  # the size of whoever has chosen none

    @classmethod
    def of_host(cls) -> Limits:
        """Return what the host's variables say, or what suits the device; InputError for one out of range."""
        roomy, size = pick_device().type == "cuda", KNOBS["size"]
        disk = min(cls.disk, shutil.disk_usage(own_folder().path).free // 2)
        return cls(
            # One step above the least: a slider needs two ends.
            size=int(_number("NST_MAX_SIZE", 4096 if roomy else 2048, size.low + size.step, size.high)),
            seconds=_number("NST_MAX_SECONDS", 600, KNOBS["time_limit"].low, KNOBS["time_limit"].high),
            waiting=int(_number("NST_MAX_QUEUE", 20, 1, 1000)),
            each=int(_number("NST_MAX_EACH", cls.each, 1, 1000)),
            disk=2**20 * int(_number("NST_MAX_DISK", disk // 2**20, 16, 2**24)),
            keep=_number("NST_KEEP_SECONDS", cls.keep, 1, 30 * 86400),
            busy=_number("NST_BUSY_SECONDS", cls.busy, 1, KNOBS["time_limit"].high),
            frames=int(_number("NST_MAX_FRAMES", 240 if roomy else cls.frames, 2, 10_000)),
            clip_size=int(_number("NST_MAX_CLIP_SIZE", 512 if roomy else cls.clip_size, size.low, size.high)),
            grace=_number("NST_GRACE_SECONDS", cls.grace, 1, 86400),
            # A CPU takes more than twice as long for it as for the knob's own.
            begins_with=SHARP if roomy else cls.begins_with,
        )

    def knob(self, name: str) -> Knob:
        """Return a knob with the range and the default of this host."""
        knob = KNOBS[name]
        if name != "size":
            return knob
        return replace(knob, high=self.size, default=min(self.begins_with, self.size))

    def allowed(self, knobs: Mapping[str, Any]) -> Settings:
        """Return settings of knobs by name; raise InputError for a value that a knob or this host refuses."""
        settings = Settings.from_dict(dict(knobs))
        if settings.size > self.size:
            raise InputError(f"This host paints up to {self.size} px; choose a smaller size.")
        return replace(settings, time_limit=self.seconds)


def _number(variable: str, default: float, low: float, high: float) -> float:
    text = os.environ.get(variable, "")
    if not text:
        return default
    with contextlib.suppress(ValueError):
        if low <= (value := float(text)) <= high:
            return value
    raise InputError(f"{variable} is a number from {low:g} to {high:g}, not {text!r}.")
