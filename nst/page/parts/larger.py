"""The sizes that a finished painting can go on to."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from nst.errors import InputError
from nst.guard.service import Service
from nst.page import status
from nst.page.components import Larger
from nst.runs.run import Run

# Longest sides in pixels, and how many of them are offered.
_SIZES = (768, 1024, 1536, 2048, 3072, 4096)
_OFFERED = 3


async def larger_sizes(service: Service, run: Run) -> list[Larger]:
    """Return them, each with the time that it takes.

    Args:
        run: that has ended; nothing is offered where it has no finished picture.
    """
    if run.folder.finished is None:
        return []
    width, height = run.folder.finished.size
    sizes = [size for size in _SIZES if max(width, height) < size <= service.limits.size]
    found = []
    for size in sizes[:_OFFERED]:
        with contextlib.suppress(InputError):
            predicted = await service.painter.forecast(width, height, replace(run.settings, size=size))
            found.append(Larger(size, status.larger(predicted)))
    return found
