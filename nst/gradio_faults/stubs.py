"""Gradio 6.31.0: it writes stub files for editors while it is imported.

It does so for every class of components at every start, its own included, and compiles a template for each:
a third of what importing it takes.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Any


class _Loader(SourceFileLoader):
    """Loads the module that writes them, and takes the function out."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        module.create_or_modify_pyi = lambda *given: None  # type: ignore[attr-defined]


class _Finder(PathFinder):
    """Finds that module, and no other."""

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        spec = super().find_spec(name, path, target) if name == "gradio.component_meta" else None
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(name, spec.origin)
        return spec


def write_none() -> None:
    """Write no stubs when Gradio is imported from now on."""
    sys.meta_path.insert(0, _Finder)
