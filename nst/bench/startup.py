"""Seconds a visitor waits: for the page, for the first frame, for what is not the optimisation."""

from __future__ import annotations

import contextlib
import math
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nst.errors import InputError

APP = Path(__file__).parents[2] / "app.py"
_LOG = re.compile(r"\"outcome\": \"finished\".*\"optimising\": ([\d.]+)")
_PATIENCE = 300.0  # seconds until it is given up


def measure(*, iterations: int) -> dict[str, Any]:
    """Return what a visitor of the page with its defaults goes through, in a real browser.

    The first start after an installation reads everything from disk; measure the second.

    Args:
        iterations: what the visitor sets this slider to.

    Raises:
        InputError: playwright or a Chromium is missing, or the app does not come up.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise InputError(
            "This needs a browser; install it with pip install -r tests/requirements.txt."
        ) from error
    names = ("chromium", "chromium-browser", "google-chrome")
    installed = next(filter(None, map(shutil.which, names)), None)
    if not installed:
        raise InputError("This needs a browser; install chromium.")
    with _app() as (url, ready, log), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(url)
        live, paint = page.locator("#live img").first, page.locator("#paint")
        live.wait_for()
        slider = page.locator("#iterations input[type=number]")
        slider.fill(str(iterations))
        slider.press("Tab")
        time.sleep(3)  # the warm-up paints a speck
        before = live.get_attribute("src")
        clicked = time.perf_counter()
        paint.click()
        page.wait_for_function(
            "old => document.querySelector('#live img')?.getAttribute('src') !== old", arg=before
        )
        first = time.perf_counter() - clicked
        loads = []
        while not (painted := _LOG.search(log.read_text())) and time.perf_counter() - clicked < _PATIENCE:
            loads.append(_load(url))
            time.sleep(0.2)
        page.wait_for_function("() => /Finished/.test(document.querySelector('#status')?.innerText)")
        whole = time.perf_counter() - clicked
        browser.close()
    if not painted:
        raise InputError(f"The page painted nothing within {_PATIENCE:g} seconds.")
    optimising = float(painted[1])
    return {
        "page ready": ready,
        "first frame": first,
        "whole run": whole,
        "optimising": optimising,
        "outside": 1 - optimising / whole,
        "page loads while it paints": len(loads),
        "p95 of a page load": sorted(loads)[math.ceil(0.95 * len(loads)) - 1] if loads else math.nan,
    }


@contextlib.contextmanager
def _app() -> Iterator[tuple[str, float, Path]]:
    """Start the app; yield its address, the seconds until it answered, and the file it logs to."""
    if not APP.exists():
        raise InputError("This needs the app; run it from a clone of the project.")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        began = time.perf_counter()
        with log.open("w") as out:
            app = subprocess.Popen(  # noqa: S603 (our own file)
                [sys.executable, str(APP), "--port", str(port)],
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, "GRADIO_ANALYTICS_ENABLED": "False"},
            )
        try:
            while True:
                with contextlib.suppress(urllib.error.URLError, OSError):
                    _load(url)
                    break
                if app.poll() is not None or time.perf_counter() - began > _PATIENCE:
                    raise InputError("The app did not come up; start it with python app.py to see why.")
                time.sleep(0.05)
            yield url, time.perf_counter() - began, log
        finally:
            app.terminate()
            app.wait()


def _load(url: str) -> float:
    """Fetch the page; return the seconds it took."""
    began = time.perf_counter()
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 (a loopback address)
        answer.read()
    return time.perf_counter() - began


def table(found: dict[str, Any]) -> str:
    """Return `measure`'s findings as text."""
    return "\n".join(
        (
            f"page ready after                   {found['page ready']:8.2f} s",
            f"click to first frame               {found['first frame']:8.2f} s",
            f"click to finished picture          {found['whole run']:8.2f} s",
            f"of which outside the optimisation  {100 * found['outside']:8.1f} %",
            f"p95 of {found['page loads while it paints']:3} page loads meanwhile    "
            f"{found['p95 of a page load']:8.3f} s",
        )
    )
