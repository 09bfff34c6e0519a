"""The page on a local port, for the tests of API and browser."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from app_process import free_port
from gradio import Blocks

from nst.page.server import served
from nst.runs.limits import Limits

LIMITS = Limits(size=256, seconds=60, waiting=4, grace=3.0)


@contextlib.contextmanager
def serving(limits: Limits = LIMITS) -> Iterator[Blocks]:
    """Serve the page; yield it."""
    with served(limits, quiet=True, server_name="127.0.0.1", server_port=free_port()) as demo:
        yield demo


@contextlib.contextmanager
def serve(limits: Limits = LIMITS) -> Iterator[str]:
    """Serve the page; yield its address."""
    with serving(limits) as demo:
        yield demo.local_url
