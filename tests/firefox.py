"""Firefox, driven by its own protocol (Marionette): Playwright's driver needs a Firefox of its own making."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from marionette_driver import By
from marionette_driver.errors import MarionetteException
from marionette_driver.marionette import Marionette

WAIT = 60.0


class Firefox:
    """One window.

    Args:
        driver: of a Firefox that is running.
    """

    def __init__(self, driver: Marionette) -> None:
        self.driver = driver

    def open(self, url: str) -> None:
        self.driver.navigate(url)

    def reload(self) -> None:
        self.driver.refresh()

    def click(self, selector: str) -> None:
        """Click what there is to click, as soon as it is there."""
        self.until(lambda: self._clicked(selector), f"{selector} can be clicked")

    def text(self, selector: str) -> str:
        return self.driver.find_element(By.CSS_SELECTOR, selector).text

    def attribute(self, selector: str, name: str) -> str:
        return self.driver.find_element(By.CSS_SELECTOR, selector).get_attribute(name) or ""

    def count(self, selector: str) -> int:
        return len(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def wait_for_text(self, selector: str, text: str) -> None:
        self.until(lambda: text in self.text(selector), f"{selector} says {text!r}")

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Return when a condition holds.

        Raises:
            AssertionError: it does not for long.
        """
        began = time.monotonic()
        while time.monotonic() - began < WAIT:
            with contextlib.suppress(MarionetteException):  # not there yet, or loaded anew just now
                if condition():
                    return
            time.sleep(0.1)
        raise AssertionError(f"not in {WAIT:.0f} s: {what}")

    def _clicked(self, selector: str) -> bool:
        element = self.driver.find_element(By.CSS_SELECTOR, selector)
        if not element.is_enabled():
            return False
        element.click()
        return True


@contextlib.contextmanager
def firefox() -> Iterator[Firefox]:
    """Yield a window of the Firefox of this machine; the test skips where there is none."""
    found = shutil.which("firefox-esr") or shutil.which("firefox")
    if not found:
        pytest.skip("Firefox is not installed here")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        quiet = {
            "marionette.port": port,
            "app.update.enabled": "false",
            "network.captive-portal-service.enabled": "false",
        }
        lines = [f'user_pref("{name}", {value});' for name, value in quiet.items()]
        Path(profile, "user.js").write_text("\n".join(lines))
        process = subprocess.Popen(
            [found, "--headless", "--marionette", "--no-remote", "--profile", profile, "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            driver = Marionette(host="127.0.0.1", port=port)
            driver.raise_for_port(timeout=WAIT)
            driver.start_session()
            driver.timeout.implicit = 0
            yield Firefox(driver)
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
