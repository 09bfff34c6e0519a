"""What the process does that decodes a visitor's file: bytes in, pixels out.

It opens no file, and imports neither torch nor Gradio, so that a process for each file costs next to nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from nst.clips.reading import is_clip, is_film, open_clip
from nst.clips.sound import with_sound
from nst.errors import IncompleteWarning, InputError
from nst.image.decoding import MAX_SIDE, decode, measure, open_image, painting_text

# The largest picture that is taken was seen to hold 0.9 GB; more than this is a bomb of a kind not yet known.
_MOST_MEMORY = 3 * 2**30
# Pixels on a side of what is drawn with the brush.
MOST_DRAWN = 768

_Answer = tuple[dict[str, Any], bytes]


def _measured(data: bytes, label: str, most: int) -> _Answer:
    if is_clip(data):
        clip = open_clip(data, label).within(most)
        facts = {"count": clip.count, "rate": str(clip.rate), "seconds": clip.seconds}
        return {"size": clip.size, "clip": facts}, b""
    return {"size": measure(data, label)}, b""


def _clip(data: bytes, label: str, longest: int, most: int) -> _Answer:
    frames = np.stack(list(open_clip(data, label).within(most).frames(longest)))
    return {"shape": frames.shape, "kind": "uint8"}, frames.tobytes()


def _decoded(data: bytes, label: str, ground: float, least: int, alpha: bool) -> _Answer:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", IncompleteWarning)
        if is_film(data):  # which is a picture by its first frame
            film = open_clip(data, label)
            pixels = next(film.frames(min(MAX_SIDE, max(film.size))))
        else:
            pixels = np.ascontiguousarray(decode(data, label, ground, least, alpha))
    remarks = [str(one.message) for one in heard if one.category is IncompleteWarning]
    return {"shape": pixels.shape, "kind": pixels.dtype.name, "remark": " ".join(remarks)}, pixels.tobytes()


def _drawing(data: bytes, label: str) -> _Answer:
    opened = open_image(data, label)
    if max(opened.size) > MOST_DRAWN:
        raise InputError(f"{label} has more than {MOST_DRAWN} pixels on a side.")
    try:
        pixels = np.asarray(opened.convert("RGBA"))
    except Exception as error:  # as in `decode`
        raise InputError(f"{label} is damaged.") from error
    return {"shape": pixels.shape, "kind": "uint8"}, pixels.tobytes()


_WORK: dict[str, Callable[..., _Answer]] = {
    "measure": _measured,
    "decode": _decoded,
    "clip": _clip,
    "sounded": lambda data, label, film: ({}, with_sound(film, data)),
    "text": lambda data, label: ({"text": painting_text(data, label)}, b""),
    "drawing": _drawing,
}


def _limit(seconds: float) -> None:
    """Take the limits that this system has: Windows has none of these, macOS none of memory."""
    with contextlib.suppress(ImportError):
        import resource

        for which, most in ((resource.RLIMIT_AS, _MOST_MEMORY), (resource.RLIMIT_FSIZE, 0)):
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(which, (most, most))
    if hasattr(signal, "alarm"):  # ends even the C code of a decoder, should nobody be left to do so
        signal.alarm(int(seconds) + 5)


def serve(link: Connection, seconds: float, work: str, data: bytes, options: dict[str, Any]) -> None:
    """Do one of `_WORK` in these seconds; answer with a byte when it begins, a JSON object, and bytes."""
    with contextlib.suppress(Exception):  # whoever asked sees that no answer comes
        link.send_bytes(b"0")
        os.environ.clear()  # it may hold keys
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the process that started this one
        _limit(seconds)
        try:
            result, payload = _WORK[work](data, **options)
        except InputError as error:
            result, payload = {"refused": str(error)}, b""
        link.send_bytes(json.dumps(result).encode())
        link.send_bytes(payload)
