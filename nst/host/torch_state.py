"""What a caller's program has switched in torch, switched back for as long as this one computes."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from typing import TypeVar

import torch

_Yielded = TypeVar("_Yielded")


@contextlib.contextmanager
def own_state() -> Iterator[None]:
    """Compute as in a fresh program, whatever inference mode, autocast and default type are outside."""
    kind = torch.get_default_dtype()
    with torch.inference_mode(False), torch.autocast("cpu", enabled=False):
        with torch.autocast("cuda", enabled=False) if torch.cuda.is_available() else contextlib.nullcontext():
            torch.set_default_dtype(torch.float32)
            try:
                yield
            finally:
                torch.set_default_dtype(kind)


def each_in_own_state(steps: Generator[_Yielded, None, None]) -> Generator[_Yielded, None, None]:
    """Yield what a generator does, each step in `own_state`, and what is between them as it is outside."""
    try:
        while True:
            with own_state():
                try:
                    step = next(steps)
                except StopIteration:
                    return
            yield step
    finally:
        steps.close()
