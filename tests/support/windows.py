"""Browsers besides Chromium, by their own protocols: Playwright drives only those of its own making."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from marionette_driver import By
from marionette_driver.errors import MarionetteException
from marionette_driver.marionette import Marionette

WAIT = 60.0
# By the WebDriver standard.
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_MINIBROWSERS = [
    f"usr/lib{place}/{name}/MiniBrowser"
    for name in ("webkit2gtk-4.1", "webkitgtk-6.0")
    for place in ("/*", "*")
]


class Driver(Protocol):
    """What a browser can be asked to do; whatever is not there yet is a `LookupError`."""

    def open(self, url: str) -> None: ...

    def reload(self) -> None: ...

    def click(self, selector: str) -> None: ...

    def text(self, selector: str) -> str: ...

    def attribute(self, selector: str, name: str) -> str: ...

    def count(self, selector: str) -> int: ...

    def run(self, script: str) -> Any: ...


class Window:
    """One window of a browser.

    Args:
        driver: of it.
    """

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.open, self.reload, self.count, self.run = driver.open, driver.reload, driver.count, driver.run

    def text(self, selector: str) -> str:
        return self._found(lambda: self.driver.text(selector), selector)

    def attribute(self, selector: str, name: str) -> str:
        return self._found(lambda: self.driver.attribute(selector, name), selector)

    def click(self, selector: str) -> None:
        """Click what there is to click, as soon as it is there."""
        self._found(lambda: self.driver.click(selector), selector)

    def wait_for_text(self, selector: str, text: str) -> None:
        said = ""

        def says() -> bool:
            nonlocal said
            said = self.driver.text(selector)
            return text in said

        try:
            self.until(says, f"{selector} says {text!r}")
        except AssertionError as error:
            raise AssertionError(f"{error}; it said {said!r}") from None

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Return when a condition holds.

        Raises:
            AssertionError: it does not for long.
        """
        began = time.monotonic()
        while time.monotonic() - began < WAIT:
            with contextlib.suppress(LookupError):  # not there yet, or loaded anew just now
                if condition():
                    return
            time.sleep(0.1)
        raise AssertionError(f"not in {WAIT:.0f} s: {what}")

    def _found(self, ask: Callable[[], Any], selector: str) -> Any:
        found: list[Any] = []

        def asked() -> bool:
            found.append(ask())
            return True

        self.until(asked, f"there is {selector}")
        return found[0]


class _Firefox:
    """Firefox by Marionette."""

    def __init__(self, driver: Marionette) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        self.driver.navigate(url)

    def reload(self) -> None:
        self.driver.refresh()

    def click(self, selector: str) -> None:
        with self._missing():
            element = self.driver.find_element(By.CSS_SELECTOR, selector)
            if not element.is_enabled():
                raise LookupError(selector)
            element.click()

    def text(self, selector: str) -> str:
        with self._missing():
            return self.driver.find_element(By.CSS_SELECTOR, selector).text

    def attribute(self, selector: str, name: str) -> str:
        with self._missing():
            return self.driver.find_element(By.CSS_SELECTOR, selector).get_attribute(name) or ""

    def count(self, selector: str) -> int:
        with self._missing():
            return len(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def run(self, script: str) -> Any:
        return self.driver.execute_script(script, sandbox=None)

    @contextlib.contextmanager
    def _missing(self) -> Iterator[None]:
        try:
            yield
        except MarionetteException as error:
            raise LookupError(str(error)) from error


class _WebKit:
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

    def click(self, selector: str) -> None:
        self._ask("POST", f"{self._element(selector)}/click", {})

    def text(self, selector: str) -> str:
        return self._ask("GET", f"{self._element(selector)}/text")

    def attribute(self, selector: str, name: str) -> str:
        return self._ask("GET", f"{self._element(selector)}/attribute/{name}") or ""

    def count(self, selector: str) -> int:
        wanted = {"using": "css selector", "value": selector}
        return len(self._ask("POST", f"{self.session}/elements", wanted))

    def run(self, script: str) -> Any:
        return self._ask("POST", f"{self.session}/execute/sync", {"script": script, "args": []})

    def close(self) -> None:
        self._ask("DELETE", self.session)

    def _element(self, selector: str) -> str:
        wanted = {"using": "css selector", "value": selector}
        return f"{self.session}/element/{self._ask('POST', f'{self.session}/element', wanted)[_ELEMENT]}"

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
    port = _free_port()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        quiet = {
            "marionette.port": port,
            "app.update.enabled": "false",
            "network.captive-portal-service.enabled": "false",
        }
        lines = [f'user_pref("{name}", {value});' for name, value in quiet.items()]
        Path(profile, "user.js").write_text("\n".join(lines))
        command = [found, "--headless", "--marionette", "--no-remote", "--profile", profile, "about:blank"]
        with _started(command):
            driver = Marionette(host="127.0.0.1", port=port)
            driver.raise_for_port(timeout=WAIT)
            driver.start_session()
            driver.timeout.implicit = 0
            yield Window(_Firefox(driver))


@contextlib.contextmanager
def webkit() -> Iterator[Window]:
    """Yield a window of the WebKitGTK of this machine; the test skips where there is none."""
    driver, screen = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    found = next((str(path) for pattern in _MINIBROWSERS for path in Path("/").glob(pattern)), "")
    if not (driver and screen and found):
        pytest.skip("WebKitGTK, its driver or Xvfb is not installed here")
    port = _free_port()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, contextlib.ExitStack() as stack:
        told, number = os.pipe()
        command = [screen, "-displayfd", str(number), "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
        stack.enter_context(_started(command, pass_fds=[number]))
        os.close(number)
        with os.fdopen(told) as shown:
            display = f":{shown.readline().strip()}"
        own = {
            name: f"{home}/{name}" for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")
        }
        for folder in own.values():
            Path(folder).mkdir(mode=0o700)
        environment = {**os.environ, **own, "DISPLAY": display, "GIO_USE_VFS": "local", "NO_AT_BRIDGE": "1"}
        environment |= {"WEBKIT_DISABLE_COMPOSITING_MODE": "1", "LIBGL_ALWAYS_SOFTWARE": "1"}
        stack.enter_context(_started([driver, f"--port={port}"], env=environment))
        _answers(port)
        window = _WebKit(f"http://127.0.0.1:{port}", found)
        stack.callback(window.close)
        yield Window(window)


@contextlib.contextmanager
def _started(command: list[str], **more: Any) -> Iterator[None]:
    """Run a program for as long as the context lasts."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _answers(port: int) -> None:
    """Return as soon as something listens."""
    began = time.monotonic()
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert time.monotonic() - began < WAIT
            time.sleep(0.05)
        else:
            return
