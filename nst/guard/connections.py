"""Connections: how many there may be, and how long one may stay silent or leave an answer unread."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import Any, ClassVar

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from nst.gradio_faults import uvicorn_settings
from nst.guard.clients import caller_of
from nst.painters.scheduler import accounts

# Seconds in which the head of a request has to be there, from the connection's begin or its first byte on.
HEAD = 15.0
# Seconds in which at least some of an answer has to be taken.
UNREAD = 30.0
# Connections of one network of the internet; behind a proxy all come from the proxy's, and what is asked over
# them is counted by the guard.
EACH = 100
# Files that are open for other things, and connections that are worth having whatever the limit.
_OTHERS, _LEAST, _MOST = 256, 64, 4000
# Connections that are taken at once, before the first of them is counted here. Those that have to go are
# closed a turn later, so twice as many files have to be free.
_AT_ONCE = 64


class Connection(AutoHTTPProtocol):  # type: ignore[valid-type, misc]
    """A connection that is closed when it is silent for too long, or when it is one too many.

    Where all places are taken the one that has been silent for longest goes: somebody who asks for something
    is worth more than somebody who does not. If none is silent, the newest of whoever has most goes.
    """

    most: ClassVar[int] = _MOST
    _all: ClassVar[dict[Connection, None]] = {}  # in the order in which they last fell silent or asked
    _of: ClassVar[Counter[str]] = Counter()  # how many each account has

    _deadline: asyncio.TimerHandle | None = None  # while it is silent
    _unread: asyncio.TimerHandle | None = None  # once an answer was not taken at once
    _accounts: tuple[tuple[str, int], ...] = ()
    _widest: str = ""  # of the accounts

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        network, _ = caller_of((self.client or ("",))[0], ())
        self._accounts = accounts(network)
        self._widest = self._accounts[-1][0]
        self._of.update(account for account, _ in self._accounts)
        too_many = network and any(self._of[account] > EACH * share for account, share in self._accounts)
        if too_many or (len(self._all) >= self.most and not self._make_room()):
            transport.abort()
        self._wait()

    def data_received(self, data: bytes) -> None:
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before and self in self._all:  # a head is whole
            self._move()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            self._look()
        elif self.cycle.response_complete:  # it has not sent the next one already
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._move()
        del self._all[self]
        if self._unread is not None:
            self._unread.cancel()
        type(self)._of -= Counter(account for account, _ in self._accounts)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look()

    def _look(self, before: int = -1) -> None:
        """Close if nothing was taken since the last look, else look again later."""
        if self._unread is not None:
            self._unread.cancel()
        unread = self.transport.get_write_buffer_size()
        if unread == before:
            self.transport.abort()
        elif unread:
            self._unread = self.loop.call_later(UNREAD, self._look, unread)

    def _wait(self) -> None:
        self._move()
        self._deadline = self.loop.call_later(HEAD, self.transport.abort)

    def _move(self) -> None:
        """Put it behind all others, and not silent."""
        self._all.pop(self, None)
        self._all[self] = None
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _make_room(self) -> bool:
        """Close another connection, unless none is silent and nobody has more than whoever made this one."""
        open_ones = [one for one in self._all if not one.transport.is_closing()]
        if len(open_ones) < self.most:
            return True  # others are on their way out
        going = next((one for one in open_ones if one._deadline is not None), None)
        if going is None:
            going = max(reversed(open_ones), key=lambda one: self._of[one._widest])
            if self._of[going._widest] <= self._of[self._widest]:
                return False
        going.transport.abort()
        return True


def _files() -> int:
    """Return how many files this process may have open, raised to what is wanted where that is allowed."""
    wanted = 2 * _MOST + _OTHERS
    try:
        import resource
    except ImportError:  # as on Windows, where sockets are not counted among them
        return wanted
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft, hard = (wanted if one == resource.RLIM_INFINITY else min(one, wanted) for one in limits)
    if soft < hard:
        with contextlib.suppress(ValueError, OSError):  # macOS allows fewer than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, limits[1]))
            return hard
    return soft


def bound() -> None:
    """Have uvicorn make connections of this kind.

    It takes 2,048 at once: every file that there is, however few may stay. And it puts what a proxy on
    this machine says in the place of the address at the other end, by which the guard tells what is a proxy.
    """
    # An answer may hold a file beside its connection.
    Connection.most = max(_LEAST, min(_MOST, (_files() - _OTHERS) // 2))
    uvicorn_settings.choose(http=Connection, ws="none", backlog=_AT_ONCE, proxy_headers=False)
