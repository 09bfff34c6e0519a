"""Connections: how many there may be, and how long one may stay silent."""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from typing import Any, ClassVar

import uvicorn
from uvicorn.config import HTTP_PROTOCOLS, WS_PROTOCOLS
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from nst.ui.web.visitors import is_outside

# Seconds in which the head of a request has to be there, from the connection's begin or its first byte on.
HEAD = 15.0
# Connections of one address of the internet; behind a proxy all come from the proxy's.
EACH = 100
# Files that are open for other things, and connections that are worth having whatever the limit.
_OTHERS, _LEAST, _MOST = 256, 64, 4000
# Connections that are taken at once, before the first of them is counted here. Those that have to go are
# closed a turn later, so twice as many files have to be free.
_AT_ONCE = 64


class Connection(AutoHTTPProtocol):  # type: ignore[valid-type, misc]
    """A connection that is closed when it is silent for too long, or when it is one too many.

    Where all places are taken the one that has been silent for longest goes: somebody who asks for something
    is worth more than somebody who does not.
    """

    most: ClassVar[int] = _MOST
    _silent: ClassVar[dict[Connection, None]] = {}  # in the order in which they fell silent
    _count: ClassVar[int] = 0
    _of: ClassVar[Counter[str]] = Counter()

    _deadline: asyncio.TimerHandle | None = None
    _counted = False

    def connection_made(self, transport: Any) -> None:
        """Take a place, or close."""
        super().connection_made(transport)
        kind, address = type(self), (self.client or ("",))[0]
        outside = is_outside(address)
        kind._count += 1
        self._counted, self._address = True, address if outside else ""
        if outside:
            kind._of[address] += 1
        if outside and kind._of[address] > EACH:
            transport.abort()
            return
        if kind._count > kind.most and not self._make_room():
            transport.abort()
            return
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Note that it is not silent any more once a head is whole."""
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._speak()

    def on_response_complete(self) -> None:
        """Note that it is silent again, until the next request or uvicorn's own deadline."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        super().connection_lost(exc)
        self._speak()
        if self._counted:
            kind = type(self)
            self._counted = False
            kind._count -= 1
            if self._address:
                kind._of[self._address] -= 1
                if not kind._of[self._address]:
                    del kind._of[self._address]

    def _wait(self) -> None:
        self._speak()
        type(self)._silent[self] = None
        self._deadline = self.loop.call_later(HEAD, self._too_late)

    def _speak(self) -> None:
        type(self)._silent.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()

    def _make_room(self) -> bool:
        longest = next(iter(type(self)._silent), None)
        if longest is None:
            return False
        longest._speak()
        longest.transport.abort()
        return True


class _Config(uvicorn.config.Config):
    """uvicorn's own takes 2,048 connections at once: every file that there is, however few may stay."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{"backlog": _AT_ONCE, **options})


def bound() -> None:
    """Have uvicorn, which Gradio starts without asking, make connections of this kind."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST + _OTHERS
    if soft < wanted and (hard == resource.RLIM_INFINITY or hard > soft):
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    Connection.most = max(_LEAST, min(_MOST, soft - _OTHERS))
    uvicorn.Config = _Config  # type: ignore[misc]
    HTTP_PROTOCOLS["auto"] = f"{__name__}:{Connection.__name__}"
    WS_PROTOCOLS["auto"] = None  # there are none here
