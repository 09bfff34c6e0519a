"""The page on a local port, for the tests of API and browser."""

import contextlib
import time
from collections.abc import Iterator
from unittest.mock import patch

from app_process import free_port
from gradio import Blocks

from nst.optimization.rollback import GuardedOptimizer
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


@contextlib.contextmanager
def unhurried_host() -> Iterator[None]:
    """Let every iteration take a moment in which the machine is free."""
    step = GuardedOptimizer.step

    def unhurried(self: GuardedOptimizer) -> None:
        time.sleep(0.15)
        step(self)

    with patch.object(GuardedOptimizer, "step", unhurried):
        yield
