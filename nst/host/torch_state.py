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
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
            stack.enter_context(torch.autocast(device, enabled=False))
        stack.callback(torch.set_default_dtype, kind)
        torch.set_default_dtype(torch.float32)
        yield


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
