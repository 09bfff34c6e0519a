"""A visitor's run from the queue to the finished picture."""

from __future__ import annotations

import html
import logging
import re
import uuid
from collections.abc import Callable, Iterator
from typing import NamedTuple

import gradio as gr

from nst.devices import describe, pick_device
from nst.errors import InputError
from nst.estimate import forecast
from nst.images import measure
from nst.settings import Settings
from nst.ui import painter
from nst.ui.easel import Easel
from nst.ui.journal import Entry
from nst.ui.painter import Pictures, Update
from nst.ui.storage import FULL, NO_ROOM
from nst.ui.workshop import item_by_item
from nst.weights import encoder_names

log = logging.getLogger(__name__)

# Seconds after which a run that waits says so, and says so again.
_AGAIN = 0.5


class Waiting(NamedTuple):
    """Where a run stands in the queue."""

    place: int  # 1 is the next
    seconds: float  # until its turn, as far as is known


class BrokenError(InputError):
    """Something went wrong that is nobody's input; the message has an id that the log has too."""


def run(
    easel: Easel,
    visitor: str,
    pictures: Pictures,
    settings: Settings,
    stop: Callable[[], bool] = bool,
    steer: Callable[[], Settings | None] | None = None,
) -> Iterator[Waiting | Update]:
    """Wait for a turn and paint; how it ended is noted in the journal.

    Args:
        easel: whose turn it is.
        visitor: as for `Easel.turn`.
        pictures: what to paint from.
        settings: how.
        stop: as for `stylize`; a run that is stopped while it waits ends without an update.
        steer: as for `stylize`.

    Raises:
        InputError: what was given cannot be used, or the host is full; nothing has been painted then.
        BrokenError: something broke on the way.
    """
    entry = Entry(settings)
    try:
        with easel.turn(visitor, _expected(pictures, settings)) as turn:
            while not turn.begun.wait(_AGAIN) and not stop():
                yield Waiting(*easel.ahead(turn))
            if turn.begun.is_set() and not stop():
                for update in item_by_item(painter.paint(pictures, settings, entry, stop, steer)):
                    turn.seconds = update.frame.remaining
                    yield update
        entry.end("stopped" if stop() else "finished")
    except InputError:
        entry.end("refused")
        raise
    except GeneratorExit:
        entry.end("left")
        raise
    except gr.Error as error:  # ZeroGPU's: no quota left, no GPU free, taken away
        entry.end("refused")
        raise InputError(_plain(error)) from error
    except OSError as error:
        if error.errno not in FULL:
            raise _broken(entry, error) from error
        log.error("no room left: %s", error)
        entry.end("failed")
        raise BrokenError(NO_ROOM) from error
    except Exception as error:
        raise _broken(entry, error) from error


def _plain(error: gr.Error) -> str:
    """Return what Gradio would show as a box with links, as one line of text."""
    told = [text for text in (getattr(error, "title", ""), str(error.message)) if text and text != "Error"]
    return html.unescape(re.sub(r"<[^>]*>|\s+", " ", ": ".join(told))).strip().rstrip(".") + "."


def _broken(entry: Entry, error: Exception) -> BrokenError:
    """Note what nobody foresaw; return what the visitor is told."""
    number = uuid.uuid4().hex[:8]
    log.error("run failed, error %s", number, exc_info=error)
    entry.end("failed", number)
    return BrokenError(f"Something broke here (error {number}); try again.")


def _expected(pictures: Pictures, settings: Settings) -> float:
    """Return the seconds that a run will take, 0 where nothing is known; refuse what cannot be painted."""
    pictures.check()
    return forecast(
        *measure(pictures.photo), settings, encoder_names(settings), describe(pick_device())
    ).seconds
