"""Gradio 6.31.0: it writes stub files for editors while it is imported.

It does so for every class of components at every start, its own included, and compiles a template for each:
a third of what importing it takes.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any

_MODULE, _FUNCTION = "gradio.component_meta", "create_or_modify_pyi"


class _Finder(PathFinder):
    """Finds the module that writes them as Python itself does, and takes the function out."""

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the module's place, None for all other modules."""
        spec = super().find_spec(name, path, target) if name == _MODULE else None
        if spec is not None and spec.loader is not None:
            run: Any = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                run(module)
                if hasattr(module, _FUNCTION):  # private: another version may do otherwise
                    setattr(module, _FUNCTION, lambda *given: None)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def write_none() -> None:
    """Write no stubs when Gradio is imported from now on."""
    sys.meta_path.insert(0, _Finder)
