"""Seconds a visitor waits: for the page, the first frame, and all but the optimisation; cores beside it."""

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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nst
from nst.errors import InputError
from nst.host.threads import cores

APP = Path(nst.__file__).parents[1] / "app.py"
LOG_LINE = re.compile(r"\"outcome\": \"finished\".*\"optimising\": ([\d.]+)")
_PATIENCE = 300.0  # seconds until it is given up
# Bytes a second of the lines of a slow and of a very slow telephone.
_LINES = {"1.6 Mbit/s": 200_000, "400 kbit/s": 50_000}
# Notes in the browser, in milliseconds, when Paint was clicked, and when a frame and the end were seen.
_WATCH = """() => {
  const find = (selector) => document.querySelector(selector);
  let before;
  addEventListener('click', (event) => {
    if (!event.target.closest('#paint')) return;
    before = find('#live .canvas').src;
    window.watched = { clicked: performance.now() };
  }, true);
  new MutationObserver(() => {
    const seen = window.watched;
    if (!seen) return;
    if (!seen.first && find('#live .canvas').src !== before) seen.first = performance.now();
    const finished = /Your painting is ready/.test(find('#status').textContent);
    if (seen.first && !seen.finished && finished) seen.finished = performance.now();
  }).observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['src'] });
}"""


def measure(*, iterations: int) -> dict[str, Any]:
    """Return the waits of a visitor of the page with its defaults, in a real browser.

    The first start after an installation reads everything from disk; measure the second.

    Args:
        iterations: what the visitor sets this slider to.

    Raises:
        InputError: playwright or a Chromium is missing, or the app does not come up.
    """
    try:
        import psutil
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise InputError(
            "This needs a browser; install it with pip install -r tests/requirements.txt."
        ) from error
    installed = chromium()
    if not installed:
        raise InputError("This needs a browser; install chromium.")
    with app() as (server, url, ready, log), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed, args=["--no-sandbox"])
        slow = {line: _on_a_slow_line(browser, url, speed) for line, speed in _LINES.items()}
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(url)
        page.locator("#live .canvas").first.wait_for()
        slider = page.locator("#iterations input[type=number]")
        slider.fill(str(iterations))
        slider.press("Tab")
        time.sleep(3)  # the warm-up paints a speck
        page.evaluate(_WATCH)

        def run(meanwhile: Callable[[], None]) -> tuple[dict[str, float], float]:
            """Paint; return the page's times and the seconds of optimisation that the app logged."""
            before, began = len(LOG_LINE.findall(log.read_text())), time.perf_counter()
            page.locator("#paint", has_text="Paint").click()  # a moment after the last one's end it says Stop
            while len(painted := LOG_LINE.findall(log.read_text())) == before:
                if time.perf_counter() - began > _PATIENCE:
                    raise InputError(f"The page painted nothing within {_PATIENCE:g} seconds.")
                meanwhile()
                time.sleep(0.2)
            page.wait_for_function("() => watched.finished")
            return page.evaluate("watched"), float(painted[-1])

        loads: list[float] = []
        crowded, _ = run(lambda: loads.append(_load(url)))
        process, began = psutil.Process(server.pid), time.perf_counter()
        before = processor_seconds(process)
        alone, optimising = run(lambda: None)
        beside = _beside_painting(before, processor_seconds(process)) / (time.perf_counter() - began)
        browser.close()
    whole = (alone["finished"] - alone["clicked"]) / 1000
    return {
        "page ready": ready,
        "on a slow line": slow,
        "first frame": (crowded["first"] - crowded["clicked"]) / 1000,
        "page loads while it paints": len(loads),
        "p95 of a page load": sorted(loads)[math.ceil(0.95 * len(loads)) - 1] if loads else math.nan,
        "whole run": whole,
        "optimising": optimising,
        "outside": 1 - optimising / whole,
        "cores beside": beside,
    }


def processor_seconds(process: Any) -> dict[tuple[int, int], float]:
    """Return the processor's seconds of a process and its children by process and thread.

    Those of children that have ended count for a thread 0 of their parent.
    """
    found: dict[tuple[int, int], float] = {}
    for each in (process, *process.children(recursive=True)):
        times = each.cpu_times()
        found[each.pid, 0] = times.children_user + times.children_system
        for thread in each.threads():
            found[each.pid, thread.id] = thread.user_time + thread.system_time
    return found


def _beside_painting(before: dict[tuple[int, int], float], after: dict[tuple[int, int], float]) -> float:
    """Return the seconds of all threads but those that compute: as many as there are cores, the busiest."""
    spent = sorted(seconds - before.get(thread, 0.0) for thread, seconds in after.items())
    return sum(spent[: -cores()])


def _on_a_slow_line(browser: Any, url: str, speed: int) -> float:
    """Return the seconds from the address to a page that can be used, on a telephone's line.

    Args:
        speed: in bytes a second.
    """
    _load(url)  # so that files are compressed by now
    page = browser.new_context().new_page()  # which has nothing of the page yet
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    speeds = {"downloadThroughput": speed, "uploadThroughput": speed}
    line.send("Network.emulateNetworkConditions", {"offline": False, "latency": 150, **speeds})
    began = time.perf_counter()
    page.goto(url, wait_until="commit")
    ready = "() => document.querySelector('#paint') && !document.querySelector('#opening')"
    page.wait_for_function(ready, timeout=1000 * _PATIENCE)
    seconds = time.perf_counter() - began
    page.context.close()
    return seconds


def chromium() -> str | None:
    """Return the path of an installed Chromium, the lightest first."""
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


@contextlib.contextmanager
def app() -> Iterator[tuple[subprocess.Popen[bytes], str, float, Path]]:
    """Start the app; yield it, its address, the seconds until it answered, and the file it logs to."""
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
            server = subprocess.Popen(  # noqa: S603 (our own file)
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
                if server.poll() is not None or time.perf_counter() - began > _PATIENCE:
                    raise InputError("The app did not come up; start it with python app.py to see why.")
                time.sleep(0.05)
            yield server, url, time.perf_counter() - began, log
        finally:
            server.terminate()
            server.wait()


def _load(url: str) -> float:
    """Fetch the page; return the seconds it took."""
    began = time.perf_counter()
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 (a loopback address)
        answer.read()
    return time.perf_counter() - began


def table(findings: dict[str, Any]) -> str:
    """Return `measure`'s findings as text."""
    return "\n".join(
        (
            f"page ready after                        {findings['page ready']:8.2f} s",
            *(
                f"a visit on {line}, 150 ms: Paint after{seconds:6.2f} s"
                for line, seconds in findings["on a slow line"].items()
            ),
            f"first run: click to first frame         {findings['first frame']:8.2f} s",
            f"           p95 of {findings['page loads while it paints']:3} page loads meanwhile"
            f"{findings['p95 of a page load']:9.3f} s",
            f"next run:  click to finished picture      {findings['whole run']:6.2f} s",
            f"           outside the optimisation       {100 * findings['outside']:6.1f} %",
            f"           cores beside those that compute {findings['cores beside']:5.2f}",
        )
    )
