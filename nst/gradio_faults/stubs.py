"""Gradio 6.31.0: it writes stub files for editors while it is imported.

It does so for every class of components at every start, its own included, and compiles a template for each:
of 2.3 s that importing it takes 0.9.
"""

import inspect
from typing import Any


def write_none() -> None:
    """Have Gradio find no file of a class of components: for such a one it writes no stubs."""
    file_of = inspect.getfile

    def getfile(thing: Any) -> str:
        if type(thing).__name__ == "ComponentMeta":
            raise FileNotFoundError
        return file_of(thing)

    inspect.getfile = getfile  # type: ignore[assignment]
