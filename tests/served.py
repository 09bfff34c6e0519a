"""The page on a local port, for the tests of API and browser."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from nst.ui.easel import Easel
from nst.ui.limits import Limits
from nst.ui.page import build
from nst.ui.server import options

LIMITS = Limits(size=256, seconds=60, waiting=4)


@contextlib.contextmanager
def serve(limits: Limits = LIMITS) -> Iterator[str]:
    """Serve the page; yield its address."""
    easel = Easel(limits.waiting, limits.each)
    demo = build(limits, easel)
    _, url, _ = demo.launch(
        prevent_thread_lock=True, quiet=True, server_name="127.0.0.1", ssr_mode=False, **options(easel)
    )
    try:
        yield url
    finally:
        demo.close()
