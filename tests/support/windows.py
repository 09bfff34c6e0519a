"""Browsers besides Chromium, by their own protocols: Playwright drives only those of its own making."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from app_process import free_port, listens
from marionette_driver import By
from marionette_driver.errors import MarionetteException
from marionette_driver.marionette import Marionette
from waiting import eventually

WAIT = 60.0
_MINIBROWSERS = [
    f"usr/lib{place}/{name}/MiniBrowser"
    for name in ("webkit2gtk-4.1", "webkitgtk-6.0")
    for place in ("/*", "*")
]


class Window:
    """One window of a browser.

    Each browser has `open`, `reload`, `press` and `run` of its own; what is not there yet is a `LookupError`.
    """

    def text(self, selector: str) -> str:
        return self._of(selector, "innerText").strip()

    def source(self, selector: str) -> str:
        return self._of(selector, "getAttribute('src')") or ""

    def count(self, selector: str) -> int:
        return self.run(f"return document.querySelectorAll({json.dumps(selector)}).length")

    def click(self, selector: str) -> None:
        """Click what there is to click, as soon as it is there."""
        self.until(lambda: [self.press(selector)], f"there is {selector}")

    def wait_for_text(self, selector: str, text: str) -> None:
        self.until(lambda: text in self._of(selector, "innerText"), f"{selector} says {text!r}")

    def until(self, condition: Callable[[], Any], message: str) -> Any:
        """Return what a condition becomes."""

        def found() -> Any:
            with contextlib.suppress(LookupError):  # not there yet, or loaded anew just now
                return condition()

        return eventually(found, message, WAIT)

    def _of(self, selector: str, what: str) -> Any:
        script = f"return [document.querySelector({json.dumps(selector)}).{what}]"
        return self.until(lambda: self.run(script), f"there is {selector}")[0]


class _Firefox(Window):
    """Firefox by Marionette."""

    def __init__(self, driver: Marionette) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        self.driver.navigate(url)

    def reload(self) -> None:
        self.driver.refresh()

    def press(self, selector: str) -> None:
        with self._missing():
            element = self.driver.find_element(By.CSS_SELECTOR, selector)
            if not element.is_enabled():
                raise LookupError(selector)
            element.click()

    def run(self, script: str) -> Any:
        with self._missing():
            return self.driver.execute_script(script, sandbox=None)

    @contextlib.contextmanager
    def _missing(self) -> Iterator[None]:
        try:
            yield
        except MarionetteException as error:
            raise LookupError(str(error)) from error


class _WebKit(Window):
    """WebKitGTK by the WebDriver standard, https://www.w3.org/TR/webdriver2/."""

    def __init__(self, address: str, browser: str) -> None:
        self.address = address
        options = {"binary": browser, "args": ["--automation"]}
        wanted = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
        self.session = f"/session/{self._ask('POST', '/session', wanted)['sessionId']}"

    def open(self, url: str) -> None:
        self._ask("POST", f"{self.session}/url", {"url": url})

    def reload(self) -> None:
        self._ask("POST", f"{self.session}/refresh", {})

    def press(self, selector: str) -> None:
        wanted = {"using": "css selector", "value": selector}
        (element,) = self._ask("POST", f"{self.session}/element", wanted).values()
        self._ask("POST", f"{self.session}/element/{element}/click", {})

    def run(self, script: str) -> Any:
        return self._ask("POST", f"{self.session}/execute/sync", {"script": script, "args": []})

    def close(self) -> None:
        self._ask("DELETE", self.session)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=WAIT) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise LookupError(error.read().decode()[:300]) from error


@contextlib.contextmanager
def firefox() -> Iterator[Window]:
    """Yield a window of the Firefox of this machine; the test skips where there is none."""
    found = shutil.which("firefox-esr") or shutil.which("firefox")
    if not found:
        pytest.skip("Firefox is not installed here")
    port = free_port()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        Path(profile, "user.js").write_text(f'user_pref("marionette.port", {port});')
        command = [found, "--headless", "--marionette", "--no-remote", "--profile", profile, "about:blank"]
        with _started(command):
            driver = Marionette(host="127.0.0.1", port=port)
            driver.raise_for_port(timeout=WAIT)
            driver.start_session()
            driver.timeout.implicit = 0
            yield _Firefox(driver)


@contextlib.contextmanager
def webkit() -> Iterator[Window]:
    """Yield a window of the WebKitGTK of this machine; the test skips where there is none."""
    driver, screen = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    found = next((str(path) for pattern in _MINIBROWSERS for path in Path("/").glob(pattern)), "")
    if not (driver and screen and found):
        pytest.skip("WebKitGTK, its driver or Xvfb is not installed here")
    port = free_port()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, contextlib.ExitStack() as stack:
        told, number = os.pipe()
        command = [screen, "-displayfd", str(number), "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
        stack.enter_context(_started(command, pass_fds=[number]))
        os.close(number)
        with os.fdopen(told) as shown:
            display = f":{shown.readline().strip()}"
        own = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"), home)
        own |= {"DISPLAY": display, "GIO_USE_VFS": "local", "NO_AT_BRIDGE": "1"}
        own |= {"WEBKIT_DISABLE_COMPOSITING_MODE": "1", "LIBGL_ALWAYS_SOFTWARE": "1"}
        stack.enter_context(_started([driver, f"--port={port}"], env={**os.environ, **own}))
        eventually(lambda: listens(port), "the driver listens", WAIT)
        window = _WebKit(f"http://127.0.0.1:{port}", found)
        stack.callback(window.close)
        yield window


@contextlib.contextmanager
def _started(command: list[str], **more: Any) -> Iterator[None]:
    """Run a program for as long as the context lasts."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more) as process:
        try:
            yield
        finally:
            process.terminate()
