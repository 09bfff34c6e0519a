"""The process that decodes visitors' files: bytes in, pixels out, each file in a child of its own.

It opens no file, and imports neither torch nor Gradio, so that a child costs next to nothing. A child that
takes too long is ended, and what it held is gone with it.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from nst.errors import IncompleteWarning, InputError
from nst.image.decoding import decode, measure, open_image, painting_text

# The largest picture that is taken was seen to hold 0.9 GB; more than this is a bomb of a kind not yet known.
_MOST_MEMORY = 3 * 2**30
# Pixels on a side of what is drawn with the brush.
MOST_DRAWN = 768
_LOOK = 0.002  # seconds between two looks at a child


def _measured(data: bytes, what: str) -> tuple[dict[str, Any], bytes]:
    width, height = measure(data, what)
    return {"size": [width, height]}, b""


def _decoded(data: bytes, what: str, ground: float, least: int, alpha: bool) -> tuple[dict[str, Any], bytes]:
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", IncompleteWarning)
        pixels = np.ascontiguousarray(decode(data, what, ground, least, alpha))
    remarks = [str(one.message) for one in heard if one.category is IncompleteWarning]
    return {"shape": pixels.shape, "kind": pixels.dtype.name, "remark": " ".join(remarks)}, pixels.tobytes()


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


def main() -> None:
    """Serve the process that started this one until it is gone."""
    link = Connection(int(sys.argv[1]))
    for interrupt in (signal.SIGINT, signal.SIGTERM):  # meant for the one that started this; it then hangs up
        signal.signal(interrupt, signal.SIG_IGN)
    try:
        link.send_bytes(b"here")
        while True:
            order = json.loads(link.recv_bytes())
            if "stop" not in order:  # that came too late
                _serve(link, order, link.recv_bytes())
    except (EOFError, OSError):
        return


def _serve(link: Connection, order: dict[str, Any], data: bytes) -> None:
    """Have a child do the work; answer for it if it does not come to an end."""
    heard, told = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _work(link, order, data, told)
        finally:
            os._exit(1)
    os.close(told)
    os.set_blocking(heard, False)
    until = time.monotonic() + order["seconds"]
    answered = late = killed = False
    while True:
        over = os.waitpid(child, os.WNOHANG) != (0, 0)
        answered = answered or _heard(heard)
        if over:
            break
        if not answered and not killed:
            late = time.monotonic() > until
            asked = link.poll(0)
            # What is about to tell is let: killed now, it would leave half an answer. And what comes after an
            # answer is the next order.
            answered = _heard(heard)
            if not answered and (late or asked):
                if asked:
                    link.recv_bytes()
                os.kill(child, signal.SIGKILL)
                killed = True
        time.sleep(_LOOK)
    os.close(heard)
    if answered and killed:  # killed in the moment between
        os._exit(1)
    if not answered:
        link.send_bytes(json.dumps({"late": late} if killed else {"crashed": True}).encode())
        link.send_bytes(b"")


def _work(link: Connection, order: dict[str, Any], data: bytes, told: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    # Ends even the C code of a decoder, should nobody be left to do so.
    signal.alarm(int(order["seconds"]) + 5)
    try:
        result, payload = WORK[order["work"]](data, **order["more"])
    except InputError as error:
        result, payload = {"refused": str(error)}, b""
    signal.alarm(0)
    answer = json.dumps(result).encode()
    os.write(told, b"1")
    link.send_bytes(answer)
    link.send_bytes(payload)
    os._exit(0)


def _heard(pipe: int) -> bool:
    """Return whether a child says that it has come to its answer."""
    try:
        return bool(os.read(pipe, 1))
    except BlockingIOError:
        return False


if __name__ == "__main__":
    main()
    os._exit(0)
