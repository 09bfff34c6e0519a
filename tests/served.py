"""The page on a local port, for the tests of API and browser."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from nst.ui.limits import Limits
from nst.ui.server import served

LIMITS = Limits(size=256, seconds=60, waiting=4)


@contextlib.contextmanager
def serve(limits: Limits = LIMITS) -> Iterator[str]:
    """Serve the page; yield its address."""
    with served(limits, quiet=True, server_name="127.0.0.1") as demo:
        yield demo.local_url
