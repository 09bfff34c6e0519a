"""Browsers besides Chromium, by the WebDriver standard: Playwright drives only those of its own making."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from app_process import free_port, listens
from waiting import eventually

WAIT = 60.0
_MINIBROWSERS = "usr/lib/*/webkit*/MiniBrowser", "usr/lib*/webkit*/MiniBrowser"
# The standard's commands (https://www.w3.org/TR/webdriver2/) by the names that Firefox has for them.
_PATHS = {
    "Navigate": "url",
    "Refresh": "refresh",
    "FindElement": "element",
    "ElementClick": "element/{id}/click",
    "ExecuteScript": "execute/sync",
}


class Window:
    """One window of a browser."""

    def __init__(self, send: Callable[..., Any]) -> None:  # a command that is refused is a LookupError
        self._send = send

    def open(self, url: str) -> None:
        self._send("Navigate", url=url)

    def reload(self) -> None:
        self._send("Refresh")

    def run(self, script: str) -> Any:
        return self._send("ExecuteScript", script=script, args=[])

    def source(self, selector: str) -> str:
        return self._of(selector, "getAttribute('src')") or ""

    def click(self, selector: str) -> None:
        """Click what there is to click, as soon as it is there."""

        def press() -> bool:
            found = self._send("FindElement", using="css selector", value=f"{selector}:not(:disabled)")
            (element,) = found.values()
            self._send("ElementClick", id=element)
            return True

        self.until(press, f"there is {selector}")

    def wait_for_text(self, selector: str, text: str) -> None:
        self.until(lambda: text in self._of(selector, "innerText"), f"{selector} says {text!r}")

    def until(self, condition: Callable[[], Any], message: str) -> Any:
        """Return what a condition becomes."""

        def found() -> Any:
            with contextlib.suppress(LookupError):  # not there yet, or loaded anew just now
                return condition()

        return eventually(found, message, WAIT)

    def _of(self, selector: str, value: str) -> Any:
        script = f"return [document.querySelector({json.dumps(selector)}).{value}]"
        return self.until(lambda: self.run(script), f"there is {selector}")[0]


@contextlib.contextmanager
def firefox() -> Iterator[Window]:
    """Yield a window of the Firefox of this machine, by Marionette; the test skips where there is none."""
    found = shutil.which("firefox-esr") or shutil.which("firefox")
    if not found:
        pytest.skip("Firefox is not installed here")
    port = free_port()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        Path(profile, "user.js").write_text(f'user_pref("marionette.port", {port});')
        command = [found, "--headless", "--marionette", "--no-remote", "--profile", profile, "about:blank"]
        with _started(command):
            eventually(lambda: listens(port), "Firefox listens", WAIT)
            with (
                socket.create_connection(("127.0.0.1", port), timeout=WAIT) as connection,
                connection.makefile("rwb") as stream,
            ):

                def receive() -> Any:
                    length = b"".join(iter(lambda: stream.read(1), b":"))
                    return json.loads(stream.read(int(length)))

                def send(command: str, **parameters: Any) -> Any:
                    message = json.dumps([0, 0, f"WebDriver:{command}", parameters]).encode()
                    stream.write(b"%d:%s" % (len(message), message))
                    stream.flush()
                    _, _, error, answer = receive()
                    if error:
                        raise LookupError(error["message"])
                    return answer.get("value")

                receive()  # its greeting
                send("NewSession")
                yield Window(send)


@contextlib.contextmanager
def webkit() -> Iterator[Window]:
    """Yield a window of the WebKitGTK of this machine; the test skips where there is none."""
    driver, screen = shutil.which("WebKitWebDriver"), shutil.which("Xvfb")
    found = next((str(path) for pattern in _MINIBROWSERS for path in Path("/").glob(pattern)), "")
    if not (driver and screen and found):
        pytest.skip("WebKitGTK, its driver or Xvfb is not installed here")
    port = free_port()

    def ask(method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}/session{path}", data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=WAIT) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise LookupError(error.read().decode()[:300]) from error

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home, contextlib.ExitStack() as stack:
        display, number = os.pipe()
        command = [screen, "-displayfd", str(number), "-screen", "0", "1280x900x24", "-nolisten", "tcp"]
        stack.enter_context(_started(command, pass_fds=[number]))
        os.close(number)
        own = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"), home)
        own |= {"GIO_USE_VFS": "local", "NO_AT_BRIDGE": "1"}
        own |= {"WEBKIT_DISABLE_COMPOSITING_MODE": "1", "LIBGL_ALWAYS_SOFTWARE": "1"}
        with os.fdopen(display) as shown:
            own["DISPLAY"] = f":{shown.readline().strip()}"
        stack.enter_context(_started([driver, f"--port={port}"], env={**os.environ, **own}))
        eventually(lambda: listens(port), "the driver listens", WAIT)
        options = {"binary": found, "args": ["--automation"]}
        wanted = {"capabilities": {"alwaysMatch": {"webkitgtk:browserOptions": options}}}
        session = "/" + ask("POST", "", wanted)["sessionId"]
        stack.callback(ask, "DELETE", session)
        yield Window(
            lambda command, **parameters: ask(
                "POST", f"{session}/{_PATHS[command].format(**parameters)}", parameters
            )
        )


@contextlib.contextmanager
def _started(command: list[str], **more: Any) -> Iterator[None]:
    """Run a program for as long as the context lasts."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more) as process:
        try:
            yield
        finally:
            process.terminate()
