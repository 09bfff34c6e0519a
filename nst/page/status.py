"""What the page says about a run."""

from __future__ import annotations

import html
import math

from nst.clips.clip import seconds_of
from nst.optimization.estimate import Forecast
from nst.optimization.frames import Frame
from nst.vgg.weights import VGG19

# Dots per inch of a good print.
_PRINTED = 300
_STEER = "Move a slider while it paints: the painting follows."
# A run of more seconds than these is worth a word.
_LONG = 90.0


def idle(text: str) -> str:
    """Return a status line without a bar."""
    return _render(html.escape(text), None)


def failed(text: str) -> str:
    """Return a status line that says what went wrong."""
    return _render(html.escape(text), None, kind="failed")


def waiting(place: int, seconds: float) -> str:
    """Return what a run that waits is told."""
    ahead = "you're next" if place == 1 else f"{place - 1} ahead of you"
    wait = f"about {duration(_rounded(seconds))} to wait" if seconds else "the wait is not known yet"
    return _render(f"In line · {ahead} · {wait}", None)


def running(frame: Frame, remark: str = "", step: str = "step") -> str:
    """Return bar and words of a run in progress; the numbers stand in the line's title.

    Args:
        step: what the run's steps are: "step", or "frame" of a clip.
    """
    share = frame.iteration / max(frame.total, 1)
    parts, numbers = (
        ["Painting", f"{_percent(share)} %"],
        [f"{step} {frame.iteration} of {frame.total}", _at(frame)],
    )
    if frame.rate:
        parts.append(f"{duration(frame.remaining)} left")
        numbers.append(f"{frame.rate:.1f} {step}s per second")
    notices = (remark, frame.notice, _consolation(frame))
    notice = " ".join(filter(None, notices)) or (_STEER if frame.remaining > 3 else "")
    return _render(" · ".join(parts), share, notice, numbers=" · ".join((*numbers, _painter(frame))))


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
    """Return what became of a run; `step` as for `running`."""
    share = frame.iteration / max(frame.total, 1)
    line = (
        f"Stopped at {_percent(share)} %"
        if stopped
        else f"Your painting is ready · {duration(frame.seconds)}"
    )
    numbers = " · ".join((f"{frame.iteration} {step}s", duration(frame.seconds), _at(frame), _painter(frame)))
    return _render(line, share if stopped else 1.0, frame.notice, numbers=numbers)


def forecast(predicted: Forecast, count: int = 1) -> str:
    """Return size and duration of a run that has not begun.

    Args:
        count: frames of a clip.
    """
    parts = [f"{predicted.width} × {predicted.height} px"]  # noqa: RUF001 (the sign that people read)
    if count > 1:
        parts.insert(0, f"{count} frames")
    if predicted.seconds:
        parts.append(f"about {spoken(_rounded(seconds_of(predicted.seconds, count)))}")
    return f"<p>{' · '.join(parts)}</p>"


def larger(predicted: Forecast) -> str:
    """Return what a painting that goes on to a size will be, and how large in print."""
    longest = max(predicted.width, predicted.height)
    parts = [f"{longest} px", f"{2.54 * longest / _PRINTED:.0f} cm in print"]
    if predicted.seconds:
        parts.append(f"up to {duration(_rounded(predicted.seconds))}")
    return " · ".join(parts)


def remark(text: str) -> str:
    """Return a quiet line of text."""
    return f"<p>{html.escape(text)}</p>"


def spoken(seconds: float) -> str:
    """Return seconds as a sentence has them: 25 seconds, 1 minute."""
    if seconds < 55:
        return f"{math.ceil(seconds)} second{'s' * (math.ceil(seconds) != 1)}"
    unit, length = ("hour", 3600) if seconds >= 3600 else ("minute", 60)
    count = max(1, round(seconds / length))
    return f"{count} {unit}{'s' * (count != 1)}"


def _rounded(seconds: float) -> float:
    """Return seconds no finer than an estimate is good for: 7, 25, 110."""
    if seconds < 10:
        return seconds
    unit = 5 if seconds < 60 else 10
    return unit * round(seconds / unit)


def _percent(share: float) -> int:
    return round(100 * min(max(share, 0.0), 1.0))


def _at(frame: Frame) -> str:
    return f"{frame.width} × {frame.height} px"  # noqa: RUF001 (the sign that people read)


def _painter(frame: Frame) -> str:
    return f"{frame.encoder} on {frame.device}"


def duration(seconds: float) -> str:
    """Return seconds as people say them."""
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    return f"{math.ceil(seconds / 60)} min"


def _render(
    line: str, share: float | None, notice: str = "", *, numbers: str = "", kind: str = "idle"
) -> str:
    percent = 0 if share is None else _percent(share)
    attributes = 'aria-hidden="true"'
    if share is not None:
        attributes = 'role="progressbar" aria-label="Painted" aria-valuemin="0" aria-valuemax="100"'
        attributes += f' aria-valuenow="{percent}"'
    bar = f'<div class="bar" {attributes}><i style="width:{percent}%"></i></div>'
    title = f' title="{html.escape(numbers)}"' if numbers else ""
    alert = ' role="alert"' if kind == "failed" else ""
    note = f'<p class="note">{html.escape(notice)}</p>' if notice else ""
    return f'{bar}<p class="line {kind}"{title}{alert}>{line}</p>{note}'
