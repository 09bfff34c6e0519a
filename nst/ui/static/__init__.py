"""The page's scripts and styles, each a file beside this one."""

from pathlib import Path

_HERE = Path(__file__).parent
STYLES = _HERE / "page.css"


def script(name: str) -> str:
    """Return a script as Gradio takes it: a function, or the body of one for a component that loads."""
    return (_HERE / f"{name}.js").read_text("utf-8")
