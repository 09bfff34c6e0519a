"""Gradio 6.31.0: its script asks for its parts in four rounds; here they are named in the HTML.

They are eighty small files, of which a browser fetches six at a time over HTTP/1.1: on a line of 1.6 Mbit/s
and 150 ms Paint was there after 3.8 s, and is after 2.4 (`python -m nst.lab.bench startup`, with an empty
assets.txt and with this one; an Intel Xeon). Their styles come as one file, and a link that is switched off
stands for each, which is where Gradio's script looks before it asks.
"""

import hashlib
from functools import cache
from pathlib import Path

import gradio

PATH = "/assets.css"
FOLDER = Path(gradio.__file__).parent / "templates" / "frontend" / "assets"


def listed() -> tuple[str, ...]:
    """Return the files in the order in which they are asked for; of another Gradio's, those it has too."""
    names = Path(__file__).with_name("assets.txt").read_text("utf-8").split()
    return tuple(name for name in names if (FOLDER / name).is_file())


@cache
def files() -> dict[str, bytes]:
    """Return them by their paths, the style sheets as one."""
    found = {name: (FOLDER / name).read_bytes() for name in listed()}
    styles = b"\n".join(data for name, data in found.items() if name.endswith(".css"))
    return {PATH: styles, **{f"/assets/{name}": found[name] for name in found if name.endswith(".js")}}


@cache
def links() -> str:
    """Return what names them in the page, relative to its base."""
    digest = hashlib.sha256(files()[PATH]).hexdigest()[:8]
    tags = [f'<link rel="stylesheet" crossorigin href=".{PATH}?{digest}">']
    for name in listed():
        kind = 'rel="stylesheet" disabled' if name.endswith(".css") else 'rel="modulepreload" crossorigin'
        tags.append(f'<link {kind} href="./assets/{name}">')
    return "".join(tags)
