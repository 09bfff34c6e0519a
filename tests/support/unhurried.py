"""Runs that last long by the clock and take little of the machine; as a command, an app with such runs.

python unhurried.py --port PORT
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch


@contextlib.contextmanager
def unhurried_host() -> Iterator[None]:
    """Let every iteration take a moment in which the machine is free."""
    from nst.optimization.rollback import GuardedOptimizer

    step = GuardedOptimizer.step

    def unhurried(self: GuardedOptimizer) -> None:
        time.sleep(0.15)
        step(self)

    with patch.object(GuardedOptimizer, "step", unhurried):
        yield


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from nst.page import server

    with unhurried_host():
        sys.exit(server.main())
