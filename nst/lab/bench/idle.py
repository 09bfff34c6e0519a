"""Shares of a core that a page at which nobody does anything takes, in each browser that is here."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nst.errors import InputError
from nst.lab.bench.startup import app, chromium, processor_seconds

_MINIBROWSERS = ("webkit2gtk-4.1", "webkitgtk-6.0")


def measure(*, seconds: float) -> dict[str, Any]:
    """Return the shares of a core of browser and server while the page is open, and of an empty page.

    Args:
        seconds: for which each is looked at, after twice as many in which it comes to rest.

    Raises:
        InputError: there is no browser, psutil is missing, or the app does not come up.
    """
    try:
        import psutil
    except ImportError as error:
        raise InputError(
            "This needs psutil; install it with pip install -r tests/requirements.txt."
        ) from error
    browsers = dict(_browsers())
    if not browsers:
        raise InputError("This needs a browser; install chromium, firefox-esr or webkit2gtk-driver.")
    rows = []
    with app() as (server, url, _, _), tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        for name, command in browsers.items():
            row: dict[str, Any] = {"browser": name}
            for which, address in (("empty page", "about:blank"), ("page", url)):
                with _opened([each.format(home=home) for each in command], address, home) as browser:
                    time.sleep(2 * seconds)
                    both = psutil.Process(browser.pid), psutil.Process(server.pid)
                    before = [sum(processor_seconds(each).values()) for each in both]
                    time.sleep(seconds)
                    after = [sum(processor_seconds(each).values()) for each in both]
                row[which], row["server"] = ((b - a) / seconds for a, b in zip(before, after, strict=True))
            rows.append(row)
    return {"rows": rows}


def _browsers() -> Iterator[tuple[str, list[str]]]:
    """Yield the browsers that are here, with the command to which an address is added."""
    if found := chromium():
        window = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
        yield "Chromium", [found, *window, "--user-data-dir={home}/chromium"]
    if found := shutil.which("firefox-esr") or shutil.which("firefox"):
        yield "Firefox", [found, "--headless", "--no-remote", "--profile", "{home}"]
    places = [path for name in _MINIBROWSERS for path in Path("/usr").glob(f"lib*/*/{name}/MiniBrowser")]
    if places and (screen := shutil.which("xvfb-run")):
        yield "WebKit", [screen, "-a", str(places[0])]


@contextlib.contextmanager
def _opened(command: list[str], address: str, home: str) -> Iterator[subprocess.Popen[bytes]]:
    """Have an address open in a browser for as long as the context lasts."""
    own = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"), home)
    own |= {"WEBKIT_DISABLE_COMPOSITING_MODE": "1", "LIBGL_ALWAYS_SOFTWARE": "1", "NO_AT_BRIDGE": "1"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "start_new_session": True}
    browser = subprocess.Popen([*command, address], env={**os.environ, **own}, **quiet)  # type: ignore[call-overload]  # noqa: S603
    try:
        yield browser
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(browser.pid, 15)
        browser.wait()


def table(findings: dict[str, Any]) -> str:
    """Return `measure`'s findings as text, in hundredths of a core."""
    columns = ("empty page", "page", "server")
    lines = [f"{'browser':10}" + "".join(f"{name:>12}" for name in columns)]
    for row in findings["rows"]:
        lines.append(f"{row['browser']:10}" + "".join(f"{100 * row[name]:10.1f} %" for name in columns))
    return "\n".join(lines)
