"""The page's scripts, styles and pieces of HTML, each a file beside this one."""

import hashlib
import html
import re
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent
_STYLES = ("page", "stage", "views")  # in this order: the later count more
ICON = _HERE / "icon.svg"
SCRIPTS = "/scripts.js"
# There may be others in a page of somebody else's.
_OURS = "document.querySelector('gradio-app:has(#paint)')"


@cache
def scripts() -> bytes:
    """Return the scripts as one module, as one is asked for once: without their comments and imports.

    So no two may give the same name to something outside their functions (tests/unit/page/test_scripts.py).
    """
    lines = (
        line.strip() for file in sorted(_HERE.glob("*.js")) for line in file.read_text("utf-8").splitlines()
    )
    return "\n".join(line for line in lines if line and not line.startswith(("//", "import "))).encode()


@cache
def scripts_address() -> str:
    """Return the module's address, relative to the page's base; that of another version is another."""
    return f".{SCRIPTS}?{hashlib.sha256(scripts()).hexdigest()[:8]}"


def _module(app: str) -> str:
    """Return what loads the module in the browser: from the host of `app`, the page's element."""
    host = f"{app}?.getAttribute('src') ?? ''"
    return f"import(new URL('{scripts_address()}', new URL({host}, document.baseURI)))"


def on_load(function: str) -> str:
    """Return what Gradio runs where a component is loaded: a function of the module, which gets it."""
    module = _module("element.closest('gradio-app')")
    return f"{module}.then((page) => page.{function}({{ element, props, trigger, watch }}))"


def call(function: str) -> str:
    """Return what Gradio runs at an event: a function of the module, which gets the values of its inputs."""
    return f"async (...values) => (await {_module(_OURS)}).{function}(...values)"


def styles() -> str:
    """Return the style sheets as one, without comments, as they travel in the page too."""
    sheets = "\n".join((_HERE / f"{name}.css").read_text("utf-8") for name in _STYLES)
    return re.sub(r"/\*.*?\*/", "", sheets, flags=re.DOTALL)


@cache
def markup(name: str) -> str:
    """Return a piece of HTML, with nothing between its lines."""
    return "".join(line.strip() for line in (_HERE / f"{name}.html").read_text("utf-8").splitlines())


def filled(name: str, **values: str) -> str:
    """Return a piece of HTML with a text in each of its places, such as {{title}}."""
    return re.sub(r"{{(\w+)}}", lambda place: html.escape(values[place[1]]), markup(name))
