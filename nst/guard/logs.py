"""The log: one line for each thing, whatever visitors put into it, and not without end."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections import Counter

log = logging.getLogger(__name__)

_LONGEST = 2000  # letters of a line
# Lines of a place in the code within a while; what is more is counted.
LINES, _WHILE = 40, 10.0


class Line(logging.Formatter):
    """Writes a record as one line, control characters written out, so that nobody can forge another.

    A traceback of our own stays what it is, each of its lines set off.
    """

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        head, *rest = text.split("\n") if record.exc_info else [text]
        return "\n    ".join(map(_plain, (head, *rest[-40:])))


class Sparing(logging.Filter):
    """Lets so many lines of one place through in a while; then a line says how many were left out."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._seen: Counter[tuple[str, int]] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        place = (record.pathname, record.lineno)
        with self._lock:
            count = self._seen[place] = self._seen[place] + 1
        if count == 1:
            timer = threading.Timer(_WHILE, self._begin_anew, (place, record.name))
            timer.daemon = True
            timer.start()
        return count <= LINES

    def _begin_anew(self, place: tuple[str, int], name: str) -> None:
        with self._lock:
            count = self._seen.pop(place) - LINES
        if count > 0:
            log.warning("%d lines of %s were left out", count, name)


class _Printed(io.TextIOBase):
    """What others print, as lines of the log."""

    def __init__(self) -> None:
        self._rest = threading.local()  # what is no whole line yet

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        *lines, rest = (getattr(self._rest, "text", "") + text).split("\n")
        self._rest.text = rest[-_LONGEST:]
        for line in lines:
            if line.strip():
                logging.getLogger("printed").warning("%s", line)
        return len(text)


def begin() -> None:
    """Log to standard error from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Line("%(asctime)s %(name)s: %(message)s"))
    handler.addFilter(Sparing())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for noisy in ("httpx", "httpx2", "mcp"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def catch_prints() -> None:
    """From now on, have what Gradio and uvicorn print go the same way: they print what visitors send."""
    for name in ("uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    sys.stdout, sys.stderr = _Printed(), _Printed()


def _plain(text: str) -> str:
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ... ({len(text)} letters)"
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in short)
