"""Gradio 6.31.0: it starts uvicorn without asking, so what uvicorn may be told cannot be told."""

import functools
from typing import Any

import uvicorn


def choose(**settings: Any) -> None:
    """Have these settings for servers that are started from now on."""
    uvicorn.Config = functools.partial(uvicorn.config.Config, **settings)  # type: ignore[misc, assignment]
