"""What the page says about a run."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from nst.clips.clip import seconds_of
from nst.optimization.estimate import Forecast
from nst.optimization.frames import Frame
from nst.vgg.weights import VGG19

_PRINTED = 300  # dots per inch of a good print
_STEER = "Move a slider while it paints: the painting follows."
_LONG = 90.0  # seconds of a run that are worth a word


def line(
    text: str, percent: int | None = None, notice: str = "", numbers: Sequence[str] = (), kind: str = "idle"
) -> str:
    """Return the HTML of a status line, with a bar up to `percent`, if that is not None."""
    attributes = 'aria-hidden="true"'
    if percent is not None:
        attributes = 'role="progressbar" aria-label="Painted" aria-valuemin="0" aria-valuemax="100"'
        attributes += f' aria-valuenow="{percent}"'
    bar = f'<div class="bar" {attributes}><i style="width:{percent or 0}%"></i></div>'
    title = f' title="{html.escape(" · ".join(numbers))}"' if numbers else ""
    alert = ' role="alert"' if kind == "failed" else ""
    note = f'<p class="note">{html.escape(notice)}</p>' if notice else ""
    return f'{bar}<p class="line {kind}"{title}{alert}>{html.escape(text, quote=False)}</p>{note}'


def waiting(place: int, seconds: float) -> str:
    ahead = "you're next" if place == 1 else f"{place - 1} ahead of you"
    wait = f"about {duration(_rounded(seconds))} to wait" if seconds else "the wait is not known yet"
    return line(f"In line · {ahead} · {wait}")


def running(frame: Frame, remark: str = "", step: str = "step") -> str:
    """Return bar and words of a run in progress, whose steps are called "step", or "frame" of a clip."""
    percent = _percent(frame)
    words = f"Painting · {percent} %"
    numbers = [f"{step} {frame.iteration} of {frame.total}", _size(frame.width, frame.height)]
    if frame.rate:
        words += f" · {duration(frame.remaining)} left"
        numbers.append(f"{frame.rate:.1f} {step}s per second")
    notices = (remark, frame.notice, _consolation(frame))
    notice = " ".join(filter(None, notices)) or (_STEER if frame.remaining > 3 else "")
    return line(words, percent, notice, [*numbers, _painter(frame)])


def _consolation(frame: Frame) -> str:
    """Return a friendly word where a run takes long, with what would be faster."""
    if frame.seconds < 2 or frame.seconds + frame.remaining < _LONG:
        return ""
    if frame.encoder.endswith(VGG19) and frame.device == "CPU":
        faster = "The narrow network (under Expert) takes about a quarter of the time"
    else:
        faster = "A smaller size or fewer iterations finish sooner"
    return f"{faster}. Press Stop to keep what is painted so far."


def finished(frame: Frame, stopped: bool, step: str = "step") -> str:
    """Return what became of a run, whose steps are called as for `running`."""
    percent, took = _percent(frame) if stopped else 100, duration(frame.seconds)
    words = f"Stopped at {percent} %" if stopped else f"Your painting is ready · {took}"
    numbers = [f"{frame.iteration} {step}s", took, _size(frame.width, frame.height), _painter(frame)]
    return line(words, percent, frame.notice, numbers)


def forecast(predicted: Forecast, count: int = 1) -> str:
    """Return size and duration of a run that has not begun, of `count` frames of a clip."""
    frames = f"{count} frames · " if count > 1 else ""
    seconds = seconds_of(predicted.seconds, count)
    time = f" · about {spoken(_rounded(seconds))}" if seconds else ""
    return f"<p>{frames}{_size(predicted.width, predicted.height)}{time}</p>"


def larger(predicted: Forecast) -> str:
    """Return what a painting that goes on to a size will be, and how large in print."""
    longest = max(predicted.width, predicted.height)
    time = f" · up to {duration(_rounded(predicted.seconds))}" if predicted.seconds else ""
    return f"{longest} px · {2.54 * longest / _PRINTED:.0f} cm in print{time}"


def remark(text: str) -> str:
    return f"<p>{html.escape(text)}</p>"


def spoken(seconds: float) -> str:
    """Return seconds as a sentence has them: 25 seconds, 1 minute."""
    if seconds < 55:
        count, unit = math.ceil(seconds), "second"
    elif seconds < 3600:
        count, unit = max(1, round(seconds / 60)), "minute"
    else:
        count, unit = round(seconds / 3600), "hour"
    return f"{count} {unit}{'s' * (count != 1)}"


def duration(seconds: float) -> str:
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    return f"{math.ceil(seconds / 60)} min"


def _rounded(seconds: float) -> float:
    """Return seconds no finer than an estimate is good for: 7, 25, 110."""
    if seconds < 10:
        return seconds
    unit = 5 if seconds < 60 else 10
    return unit * round(seconds / unit)


def _percent(frame: Frame) -> int:
    return round(100 * min(frame.iteration / max(frame.total, 1), 1.0))


def _size(width: int, height: int) -> str:
    return f"{width} × {height} px"  # noqa: RUF001 (the sign that people read)


def _painter(frame: Frame) -> str:
    return f"{frame.encoder} on {frame.device}"
