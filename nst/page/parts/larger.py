"""The sizes that a finished painting can go on to."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

from nst.errors import InputError
from nst.guard.service import Service
from nst.page import status
from nst.settings import Settings

# Longest sides in pixels, and how many of them are offered.
_SIZES = (768, 1024, 1536, 2048, 3072, 4096)
_OFFERED = 3


async def larger_sizes(service: Service, settings: Settings, width: int, height: int) -> list[dict[str, Any]]:
    """Return "size" and "text" of each, which says the time that it takes.

    Args:
        settings: of the painting, which is of this width and height.
    """
    sizes = [size for size in _SIZES if max(width, height) < size <= service.limits.size]
    found = []
    for size in sizes[:_OFFERED]:
        with contextlib.suppress(InputError):
            predicted = await service.painter.forecast(width, height, replace(settings, size=size))
            found.append({"size": size, "text": status.larger(predicted)})
    return found
