"""How a program begins: what it imports takes a second, in which it may be ended or turn out incomplete."""

from __future__ import annotations

import sys
from collections.abc import Callable

_INTERRUPTED, _INCOMPLETE = 130, 2


def start(program: Callable[[], Callable[[], int]], extra: str = "") -> int:
    """Import a program and run it; return its exit code, also where it comes to no running.

    Args:
        program: imports it and returns its main function.
        extra: what an installation has to name for its packages, such as "page".
    """
    try:
        main = program()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (MemoryError, ImportError, OSError, SystemError) as error:
        missing = error.name or "" if isinstance(error, ImportError) else ""
        if missing.startswith("nst"):  # a fault of ours
            raise
        if isinstance(error, ModuleNotFoundError):
            wanted = f".[{extra}]" if extra else "."
            return _refuse(f'This needs {missing}; install it with: pip install "{wanted}"')
        # What the loader and C code say where `ulimit -v` lets no library in, or one is broken.
        reason = str(error) or type(error).__name__
        return _refuse(f"A package cannot be loaded ({reason}); is there enough memory for it?")
    return main()


def _refuse(sentence: str) -> int:
    print(f"error: {sentence}", file=sys.stderr)  # noqa: T201
    return _INCOMPLETE
