"""A visitor's run from the queue to the finished picture."""

from __future__ import annotations

import asyncio
import contextlib
import html
import logging
import re
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from typing import NamedTuple, TypeVar

import gradio as gr

from nst.errors import InputError
from nst.host.device import describe, pick_device
from nst.inputs import Inputs
from nst.optimization.estimate import forecast
from nst.settings import Settings
from nst.ui.runs.log import Entry
from nst.ui.runs.pictures import Given, check, folders
from nst.ui.runs.pictures import decoded as decode
from nst.ui.runs.storage import FULL, NO_ROOM, Sent
from nst.ui.runs.stream import Update, paint
from nst.ui.runs.worker import each_in_worker
from nst.ui.service import Service

log = logging.getLogger(__name__)

# Seconds after which a run that waits says so, and says so again.
_AGAIN = 0.5
# Seconds between two looks at whether it is its turn, or at an end.
_LOOK = 0.05
# Seconds for which a run goes on while nobody takes its frames.
_ALONE = 30.0

_Found = TypeVar("_Found")


class Waiting(NamedTuple):
    """Where a run stands in the queue."""

    place: int  # 1 is the next
    seconds: float  # until its turn, as far as is known


class BrokenError(InputError):
    """Something went wrong that is nobody's input; the message has an id that the log has too."""


async def run(
    service: Service,
    visitor: str,
    session: str,
    pictures: Inputs[Given],
    settings: Settings,
    stop: Callable[[], bool] = bool,
    steer: Callable[[], Settings | None] | None = None,
) -> AsyncGenerator[Waiting | Update, None]:
    """Wait for a turn and paint; how it ended is noted in the log.

    Args:
        service: of this host.
        visitor: as for `Queue.turn`.
        session: whose listeners the run is for; when they have left for a while, it ends.
        pictures: what to paint from.
        settings: how.
        stop: as for `stylize`; a run that is stopped while it waits ends without an update.
        steer: as for `stylize`.

    Raises:
        InputError: what was given cannot be used, or the host is full; nothing has been painted then.
        BrokenError: something broke on the way.
    """
    entry, began = Entry(settings), time.monotonic()

    def alone() -> bool:
        return service.listeners.alone_for(session, began) > _ALONE

    def ending() -> bool:
        return stop() or alone()

    with _noted(entry):
        check(pictures)
        # The quota comes before any work.
        with (
            service.queue.turn(visitor, 0.0, ready=False) as turn,
            service.files.held(folders(pictures)),
        ):
            turn.seconds = await _expected(service, visitor, pictures, settings)
            # What cannot be read, or not in time, is found out in the line and costs nobody else a turn.
            decoded = await _unless(ending, decode(pictures, service.decoder, visitor))
            service.queue.is_ready(turn)
            told = time.monotonic()
            while not turn.begun.is_set() and not ending():
                if service.queue.ahead(turn)[0] > 1:
                    decoded = None  # a whole line of pictures would fill the memory
                elif decoded is None:
                    decoded = await _unless(ending, decode(pictures, service.decoder, visitor))
                if time.monotonic() - told >= _AGAIN:
                    yield Waiting(*service.queue.ahead(turn))
                    told = time.monotonic()
                await asyncio.sleep(_LOOK)
            if decoded is None and turn.begun.is_set():
                decoded = await _unless(ending, decode(pictures, service.decoder, visitor))
            if decoded is not None and turn.begun.is_set():
                folder = service.files.new_run(visitor)
                with service.files.held([folder.path]):
                    updates = each_in_worker(paint(decoded, settings, folder, entry, ending, steer))
                    async with contextlib.aclosing(updates):
                        async for update in updates:
                            turn.seconds = update.frame.remaining
                            yield update
        entry.end("stopped" if stop() else "left" if alone() else "finished")


@contextlib.contextmanager
def _noted(entry: Entry) -> Iterator[None]:
    """Note how a run ended, if not well, and make of whatever it was what a visitor can be told."""
    try:
        yield
    except InputError:
        entry.end("refused")
        raise
    except (GeneratorExit, asyncio.CancelledError):
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


async def _expected(service: Service, visitor: str, pictures: Inputs[Given], settings: Settings) -> float:
    """Return the seconds that a run will take, 0 where nothing is known; refuse what cannot be painted."""
    if not isinstance(pictures.photo, Sent):
        raise InputError("Add a photo first.")
    size = await service.decoder.measure(pictures.photo, "The photo", visitor)
    return forecast(*size, settings, describe(pick_device())).seconds


async def _unless(ending: Callable[[], bool], work: Awaitable[_Found]) -> _Found | None:
    """Return what `work` finds, or None if the run ends meanwhile."""
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({task}, timeout=_LOOK))[0]:
            if ending():
                return None
        return task.result()
    finally:
        task.cancel()
