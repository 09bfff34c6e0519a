"""Assistants' calls that are under way, and whether whoever made one still waits for it."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Call:
    """One call of the MCP tool, which Gradio makes once more by itself, over HTTP."""

    client: str
    gone: threading.Event = field(default_factory=threading.Event)


class Calls:
    """The calls of MCP tools that are under way, by the word that tells them when they come in again."""

    HEADER = b"x-nst-call"

    def __init__(self) -> None:
        self._calls: dict[str, Call] = {}

    @contextlib.contextmanager
    def made(self, client: str) -> Iterator[tuple[bytes, Call]]:
        """Yield the word that stands for a call, which is gone when the context ends."""
        word, call = secrets.token_hex(16), Call(client)
        self._calls[word] = call
        try:
            yield word.encode(), call
        finally:
            call.gone.set()
            self._calls.pop(word, None)

    def under_way(self) -> int:
        """Return how many calls there are."""
        return len(self._calls)

    def find(self, word: str) -> Call | None:
        """Return the call that a word stands for."""
        return self._calls.get(word)
