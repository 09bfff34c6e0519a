"""The command line: a photo and paintings in, a picture file out."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from huggingface_hub.utils import tqdm

import nst
from nst.errors import InputError
from nst.frames import Frame
from nst.images import encode_jpeg, encode_png
from nst.metadata import describe_painting, settings_of
from nst.painting import stylize
from nst.settings import KNOBS, MOST_STYLES, Knob, Settings
from nst.timelapse import as_mp4, as_webp, thinned

FINISHED, FAILED, MISUSED, INTERRUPTED = 0, 1, 2, 130
_SUFFIXES = (".png", ".jpg", ".jpeg")
_FILMS = {".mp4": as_mp4, ".webp": as_webp}
# Frames held for a film, at most twice as many.
_MOST_KEPT = 72


def main(arguments: Sequence[str] | None = None) -> int:
    """Paint what the arguments say.

    Returns:
        0 finished; 1 something unforeseen broke; 2 the arguments or a picture cannot be used; 130
        interrupted, with the picture as it was then saved.
    """
    options = vars(_parser().parse_args(arguments))
    logging.basicConfig(
        level=logging.INFO if options.pop("verbose") else logging.WARNING, format="%(message)s"
    )
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    output = writing = options.pop("output")
    try:
        if options["start"] is not None and options["initial"] is None:
            options["initial"] = "picture"
        source = options["settings_from"]
        taken = {} if source is None else settings_of(source, "The picture with the settings")
        given = {name: options[name] for name in KNOBS if options[name] is not None}
        settings = Settings(**{**taken, **given})
        _check_output(output, _SUFFIXES, "PNG nor JPEG")
        film: Path | None = options["time_lapse"]
        if film is not None:
            writing = film
            _check_output(film, tuple(_FILMS), "MP4 nor WebP")
            writing = output
        frames: list[np.ndarray] = []
        with _stop_on_interrupt() as stop:
            last = _watch(
                stylize(
                    options["photo"],
                    options["styles"],
                    settings,
                    keep=options["keep"],
                    regions=_regions(options),
                    start=options["start"],
                    resume=options["resume"],
                    stop=stop.is_set,
                ),
                frames if film is not None else None,
            )
        _save(_encoded(last, output), output)
        if film is not None:
            writing = film
            _save(_FILMS[film.suffix.lower()](frames), film)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return MISUSED
    except OSError as error:
        print(f"error: {writing.name} cannot be written: {error.strerror or error}.", file=sys.stderr)
        return FAILED
    if last.notice:
        print(f"note: {last.notice}", file=sys.stderr)
    print(
        f"{output}: {last.width} x {last.height}, {last.iteration} iterations, {last.seconds:.1f} s,"
        f" {last.encoder} on {last.device}"
    )
    return INTERRUPTED if stop.is_set() else FINISHED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m nst",
        description="Paint a photo in the manner of one or more paintings (neural style transfer).",
    )
    parser.add_argument("photo", help="the picture whose scene is kept")
    parser.add_argument("styles", nargs="+", metavar="painting", help="the pictures whose manner is taken")
    parser.add_argument("-o", "--output", type=Path, default=Path("out.png"), help="PNG or JPEG (out.png)")
    parser.add_argument("--time-lapse", type=Path, metavar="FILE", help="film of the painting, MP4 or WebP")
    parser.add_argument("-v", "--verbose", action="store_true", help="say where the weights come from")
    parser.add_argument("--version", action="version", version=nst.__version__)
    masks = parser.add_argument_group("pictures that direct the painting", "masks have the photo's shape")
    masks.add_argument("--keep", metavar="FILE", help="mask: where it is white the photo stays")
    for number in range(1, MOST_STYLES + 1):
        masks.add_argument(
            f"--region-{number}",
            metavar="FILE",
            help=f"mask: painting {number} paints where it is white and nowhere else",
        )
    masks.add_argument("--start", metavar="FILE", help="the picture to start from")
    masks.add_argument("--resume", metavar="FILE", help="a painting of this photo to go on with")
    knobs = parser.add_argument_group("settings")
    knobs.add_argument(
        "--settings-from", metavar="FILE", help="PNG painted here whose settings are taken over"
    )
    for knob in KNOBS.values():
        knobs.add_argument("--" + knob.name.replace("_", "-"), **_option(knob))
    return parser


def _regions(options: dict[str, Any]) -> list[str | None]:
    """Return the masks of the styles in their order, as far as any is named."""
    found = [options[f"region_{number}"] for number in range(1, MOST_STYLES + 1)]
    while found and found[-1] is None:
        found.pop()
    return found


def _option(knob: Knob) -> dict[str, Any]:
    """Return argparse's description of a knob; None stands for "not given"."""
    text = knob.help.replace("%", "%%")
    if knob.kind is bool:
        state = "on" if knob.default else "off"
        return {
            "action": argparse.BooleanOptionalAction,
            "default": None,
            "help": f"{text} (default: {state})",
        }
    if knob.choices:
        return {"choices": list(knob.choices), "help": f"{text} (default: {knob.default})"}
    if knob.kind is str:
        if knob.local:
            return {"metavar": "FILE", "help": text}
        return {"type": _checked(knob), "metavar": "TEXT", "help": f"{text} (default: {knob.default})"}
    return {
        "type": _checked(knob),
        "metavar": "N",
        "help": f"{text} ({knob.low:g} to {knob.high:g}, default: {knob.default:g})",
    }


def _checked(knob: Knob) -> Callable[[str], Any]:
    """Return argparse's type of a knob: what the text means, in the knob's own words if it is refused."""

    def parse(text: str) -> Any:
        try:
            return knob.check(text if knob.kind is str else _number(text))
        except InputError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse


def _number(text: str) -> int | float | str:
    """Return the number that a text is, or the text, which a knob then refuses."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text


def _check_output(path: Path, suffixes: tuple[str, ...], kinds: str) -> None:
    """Refuse what could not be saved before minutes of painting, not after."""
    if path.suffix.lower() not in suffixes:
        raise InputError(
            f"The output {path.name} is neither {kinds}; end its name in {' or '.join(suffixes)}."
        )
    if not path.parent.is_dir():
        raise InputError(f"The folder {path.parent} for the output does not exist; make it first.")
    if path.is_dir():
        raise InputError(f"The output {path.name} is a folder; name a file.")
    probe = path.with_name(f".{path.name}.part")
    probe.touch()
    probe.unlink()


def _encoded(frame: Frame, path: Path) -> bytes:
    if path.suffix.lower() == ".png":
        return encode_png(frame.image, describe_painting(frame.settings, frame.encoder))
    return encode_jpeg(frame.image, quality=95)


def _save(data: bytes, path: Path) -> None:
    """Write a file so that one of this name is always whole."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)


def _watch(frames: Iterator[Frame], kept: list[np.ndarray] | None) -> Frame:
    """Draw a progress bar while the frames come, keep their pictures if wanted; return the last."""
    with tqdm(unit="it", file=sys.stderr, dynamic_ncols=True) as bar:
        for frame in frames:
            bar.total = frame.total
            bar.set_description(f"{frame.width}x{frame.height}", refresh=False)
            bar.set_postfix(loss=f"{frame.losses.get('total', float('nan')):.4f}", refresh=False)
            bar.update(frame.iteration - bar.n)
            if kept is not None:
                if len(kept) >= 2 * _MOST_KEPT:
                    kept[:] = thinned(kept, _MOST_KEPT)
                kept.append(frame.image)
    return frame


@contextmanager
def _stop_on_interrupt() -> Iterator[threading.Event]:
    """Turn the first Ctrl-C into a wish to stop; the second ends the program as ever."""
    stop = threading.Event()

    def wish(*_: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("\nstopping; the picture so far is kept", file=sys.stderr)

    before = signal.signal(signal.SIGINT, wish)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
