"""Waiting for what another process, thread or page does."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def eventually(check: Callable[[], Any], message: object = "", seconds: float = 60.0) -> Any:
    """Wait until something is so, and return what it is then.

    Args:
        check: is asked again and again.
        message: of the failure, or a function that returns it.
        seconds: after which it fails.

    Raises:
        AssertionError: it is not so for long.
    """
    began = time.monotonic()
    while not (found := check()):
        assert time.monotonic() - began < seconds, message() if callable(message) else message
        time.sleep(0.03)
    return found
