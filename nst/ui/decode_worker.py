"""The process that decodes visitors' files: bytes in, pixels out, and it may be killed at any time.

It opens no file, and imports neither torch nor Gradio, so that another one is there in a moment.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from nst.decoding import decode, measure, open_image, painting_text
from nst.errors import InputError

# The largest picture that is taken was seen to hold 0.9 GB; more than this is a bomb of a kind not yet known.
_MOST_MEMORY = 3 * 2**30
# Pixels on a side of what is drawn with the brush.
MOST_DRAWN = 768
# What has held more than this is to be ended: its memory would not come back.
_TIRED = 250 * 2**20


def _measured(data: bytes, what: str) -> tuple[dict[str, Any], bytes]:
    width, height = measure(data, what)
    return {"size": [width, height]}, b""


def _decoded(data: bytes, what: str, ground: float) -> tuple[dict[str, Any], bytes]:
    pixels = np.ascontiguousarray(decode(data, what, ground))
    return {"shape": pixels.shape, "kind": pixels.dtype.name}, pixels.tobytes()


def _text(data: bytes, what: str) -> tuple[dict[str, Any], bytes]:
    return {"text": painting_text(data, what)}, b""


def _drawing(data: bytes, what: str) -> tuple[dict[str, Any], bytes]:
    opened = open_image(data, what)
    if max(opened.size) > MOST_DRAWN:
        raise InputError(f"{what} has more than {MOST_DRAWN} pixels on a side.")
    try:
        pixels = np.asarray(opened.convert("RGBA"))
    except Exception as error:  # as in `decode`
        raise InputError(f"{what} is damaged.") from error
    return {"shape": pixels.shape, "kind": "uint8"}, pixels.tobytes()


WORK: dict[str, Callable[..., tuple[dict[str, Any], bytes]]] = {
    "measure": _measured,
    "decode": _decoded,
    "text": _text,
    "drawing": _drawing,
}


def _peak() -> int:
    """Return the most bytes that this process has held; `getrusage` tells also what its parent held."""
    try:
        with open("/proc/self/status") as status:  # noqa: PTH123 (a file of the kernel's)
            lines = [line.split() for line in status if line.startswith("VmHWM:")]
    except OSError:
        return 0
    return int(lines[0][1]) * 1024 if lines else 0


def main() -> None:
    """Serve the process that started this one until it is gone."""
    link = Connection(int(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    for interrupt in (signal.SIGINT, signal.SIGTERM):  # meant for the one that started this; it then hangs up
        signal.signal(interrupt, signal.SIG_IGN)
    try:
        link.send_bytes(b"here")
        while True:
            order, data = json.loads(link.recv_bytes()), link.recv_bytes()
            # Ends even the C code of a decoder, should nobody be left to do so.
            signal.alarm(int(order["seconds"]) + 5)
            try:
                told, payload = WORK[order["work"]](data, **order["more"])
            except InputError as error:
                told, payload = {"refused": str(error)}, b""
            del data
            signal.alarm(0)
            link.send_bytes(json.dumps({**told, "tired": _peak() > _TIRED}).encode())
            link.send_bytes(payload)
    except (EOFError, OSError):
        return


if __name__ == "__main__":
    main()
    os._exit(0)
