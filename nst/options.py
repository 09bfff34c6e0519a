"""The command line's options: the pictures, where they go, and one for each knob."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import nst
from nst.errors import InputError
from nst.knob import Knob
from nst.settings import KNOBS, MOST_STYLES

# The word for a photo's own size.
OWN_SIZE = "photo"


def parser() -> argparse.ArgumentParser:
    """Return what reads them."""
    options = argparse.ArgumentParser(
        prog="python -m nst",
        description="Paint a photo in the manner of one or more paintings (neural style transfer).",
        usage="%(prog)s [options] photo painting [painting ...]\n"
        "       %(prog)s [options] photo [photo ...] --style painting -o FOLDER/",
        epilog="exit codes: 0 finished; 1 something unforeseen broke; 2 something you gave it cannot be used,"
        " one sentence says what; 3 a file could not be written, a sentence says where it is instead; 128 and"
        " the signal's number if one ended it, with the picture so far saved (Ctrl-C: 130)",
    )
    options.add_argument(
        "pictures",
        nargs="+",
        metavar="picture",
        help="the photo whose scene is kept, then the paintings whose manner is taken; with --style: photos",
    )
    options.add_argument("--style", action="append", metavar="FILE", help="a painting; up to four, one each")
    options.add_argument(
        "-o",
        "--output",
        default="out.png",
        help="PNG, JPEG, WebP or TIFF by its ending, or a folder (out.png); of a clip MP4, WebP or GIF",
    )
    options.add_argument(
        "--force", action="store_true", help="write even over a picture that is painted from"
    )
    options.add_argument("--time-lapse", type=Path, metavar="FILE", help="film of the painting, MP4 or WebP")
    options.add_argument("-v", "--verbose", action="store_true", help="say where the weights come from")
    options.add_argument("--version", action="version", version=nst.__version__)
    clips = options.add_argument_group(
        "clips", "in place of the photo: MP4, MOV, WebM, or a picture that moves"
    )
    clips.add_argument("--frames", type=_from(1, int), metavar="N", help="frames at most, from the beginning")
    clips.add_argument("--fps", type=_from(1, float), metavar="N", help="frames a second, at most its own")
    masks = options.add_argument_group(
        "pictures that direct the painting", "masks have the shape of the photo, or of the painting"
    )
    masks.add_argument("--keep", metavar="FILE", help="mask: where it is white the photo stays")
    for number in range(1, MOST_STYLES + 1):
        masks.add_argument(
            f"--region-{number}",
            metavar="FILE",
            help=f"mask: painting {number} paints where it is white and nowhere else",
        )
    for number in range(1, MOST_STYLES + 1):
        masks.add_argument(
            f"--style-mask-{number}",
            metavar="FILE",
            help=f"mask of painting {number}: its style is taken from where this is white",
        )
    masks.add_argument("--start", metavar="FILE", help="the picture to start from")
    masks.add_argument("--resume", metavar="FILE", help="a painting of this photo to go on with")
    knobs = options.add_argument_group("settings")
    knobs.add_argument(
        "--settings-from", metavar="FILE", help="picture painted here whose settings are taken over"
    )
    for knob in KNOBS.values():
        knobs.add_argument("--" + knob.name.replace("_", "-"), **_option(knob))
    return options


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
        return {
            "choices": list(knob.choices),
            "type": lambda value: knob.former.get(value, value),
            "help": f"{text} (default: {knob.default})",
        }
    if knob.kind is str:
        if knob.local:
            return {"metavar": "FILE", "help": text}
        return {"type": _checked(knob), "metavar": "TEXT", "help": f"{text} (default: {knob.default})"}
    own = f", or {OWN_SIZE} for the photo's own" if knob.name == "size" else ""
    return {
        "type": _checked(knob),
        "metavar": "N",
        "help": f"{text} ({knob.low:g} to {knob.high:g}, default: {knob.default:g}{own})",
    }


def _checked(knob: Knob) -> Callable[[str], Any]:
    """Return argparse's type of a knob: what the text means, in the knob's own words if it is refused."""

    def parse(text: str) -> Any:
        if knob.name == "size" and text == OWN_SIZE:
            return text
        try:
            return knob.check(text if knob.kind is str else _number(text))
        except InputError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse


def _from(least: int, kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """Return argparse's type of a number that is not less than `least`."""

    def parse(text: str) -> Any:
        with suppress(ValueError, OverflowError):
            value = kind(text)
            if least <= value < 1e6:
                return value
        raise argparse.ArgumentTypeError(f"it is a number from {least} on, not {text[:40]!r}.")

    return parse


def _number(text: str) -> int | float | str:
    """Return the number that a text is, or the text, which a knob then refuses."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(text)
    return text
