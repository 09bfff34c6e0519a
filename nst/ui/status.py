"""What the page says about a run."""

from __future__ import annotations

import html
import math

from nst.optimization.estimate import Forecast
from nst.optimization.frames import Frame
from nst.vgg.weights import VGG19

# A run of more seconds than these is worth a word.
_LONG = 90.0


def idle(text: str) -> str:
    """Return a status line without a bar."""
    return _render(html.escape(text), None)


def failed(text: str) -> str:
    """Return a status line that says what went wrong."""
    return _render(f'<strong role="alert">{html.escape(text)}</strong>', None)


def waiting(place: int, seconds: float) -> str:
    """Return what a run that waits is told."""
    ahead = "You are next" if place == 1 else f"{place - 1} before you"
    wait = f"about {duration(_rounded(seconds))} to wait" if seconds else "the wait is not known yet"
    return _render(f"Waiting for a turn · {ahead} · {wait}", None)


def running(frame: Frame) -> str:
    """Return bar and numbers of a run in progress."""
    parts = [f"step {frame.iteration} of {frame.total}", f"{max(frame.width, frame.height)} px"]
    if frame.rate:
        parts += [f"{frame.rate:.1f} per second", f"{duration(frame.remaining)} left"]
    notice = " ".join(filter(None, (frame.notice, _consolation(frame))))
    return _render(" · ".join(parts), frame.iteration / max(frame.total, 1), notice)


def _consolation(frame: Frame) -> str:
    """Return a friendly word where a run takes long, with what would be faster."""
    if frame.seconds < 2 or frame.seconds + frame.remaining < _LONG:
        return ""
    if frame.encoder.endswith(VGG19) and frame.device == "CPU":
        faster = "the fast encoder (Under the hood) takes about a quarter of VGG-19's time"
    else:
        faster = "a smaller size or fewer iterations finish sooner"
    return f"This takes a while on this host; {faster}. What is painted so far can be kept with Stop."


def finished(frame: Frame, stopped: bool) -> str:
    """Return what became of a run."""
    head = "Stopped" if stopped else "Finished"
    parts = [
        f"{head} after {frame.iteration} steps",
        duration(frame.seconds),
        f"{frame.width} × {frame.height} px",  # noqa: RUF001 (the sign that people read)
        badge(frame),
    ]
    return _render(" · ".join(parts), 1.0, frame.notice)


def forecast(predicted: Forecast, device: str) -> str:
    """Return size and duration of a run that has not begun."""
    parts = [f"{predicted.width} × {predicted.height} px"]  # noqa: RUF001 (the sign that people read)
    if predicted.seconds:
        parts.append(f"about {duration(_rounded(predicted.seconds))} on this {device}")
    return f"<p>{' · '.join(parts)}</p>"


def remark(text: str) -> str:
    """Return a quiet line of text."""
    return f"<p>{html.escape(text)}</p>"


def _rounded(seconds: float) -> float:
    """Return seconds no finer than an estimate is good for: 7, 25, 110."""
    if seconds < 10:
        return seconds
    unit = 5 if seconds < 60 else 10
    return unit * round(seconds / unit)


def badge(frame: Frame) -> str:
    """Return who painted where, such as "VGG-19 on GPU"."""
    return f"{frame.encoder} on {frame.device}"


def boxed(text: str) -> str:
    """Return a badge as it stands at the top of the page."""
    return f"<span>{text}</span>"


def duration(seconds: float) -> str:
    """Return seconds as people say them."""
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    return f"{math.ceil(seconds / 60)} min"


def _render(line: str, share: float | None, notice: str = "") -> str:
    percent = 0 if share is None else round(100 * min(max(share, 0.0), 1.0))
    bar = f'<div class="bar" aria-hidden="true"><i style="width:{percent}%"></i></div>'
    note = f'<p class="note">{html.escape(notice)}</p>' if notice else ""
    return f'{bar}<p class="line">{line}</p>{note}'
