"""The page's scripts, styles and pieces of HTML, each a file beside this one."""

import re
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
_STYLES = ("page", "stage", "views")  # in this order: the later count more
ICON = _HERE / "icon.svg"


def script(name: str) -> str:
    """Return a script as Gradio takes it: a function, or the body of one for a component that loads.

    Without its comments, as all of them travel in the page before anything is seen.
    """
    lines = (line.strip() for line in (_HERE / f"{name}.js").read_text("utf-8").splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def styles() -> str:
    """Return the style sheets as one, without comments, as they travel in the page too."""
    sheets = "\n".join((_HERE / f"{name}.css").read_text("utf-8") for name in _STYLES)
    return re.sub(r"/\*.*?\*/", "", sheets, flags=re.DOTALL)


@cache
def markup(name: str) -> str:
    """Return a piece of HTML."""
    return (_HERE / f"{name}.html").read_text("utf-8")
