"""Visits by hand in Firefox and WebKit, which is what Safari is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from relay import relayed
from served import LIMITS, serve
from visits import PRESSES_AT_THE_END, unhurried_host
from windows import Window, firefox, webkit

SHORT, LONG = "?size=64&iterations=20", "?size=64&iterations=1000"
# What is chosen in the window for files, which nothing can drive: a picture of 90 x 60.
CHOOSES = """HTMLInputElement.prototype.click = function () {
  window.opened = this.type;
  const canvas = Object.assign(document.createElement('canvas'), { width: 90, height: 60 });
  canvas.getContext('2d').fillRect(20, 20, 30, 20);
  canvas.toBlob((blob) => {
    const given = new DataTransfer();
    given.items.add(new File([blob], 'own.png', { type: 'image/png' }));
    this.files = given.files;
    this.dispatchEvent(new Event('change'));
  });
};"""
FRAME = """document.body.innerHTML = '<iframe src="/?view=embed" width="320" height="400"></iframe>';"""
IN_FRAME = """const page = document.querySelector('iframe').contentDocument;
return ['#paint', '#live .canvas', '#photo img', '#style img'].map((name) => {
  const box = page.querySelector(name)?.getBoundingClientRect();
  return box ? [box.left, box.top, box.right, box.bottom] : null;
});"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A host that waits long for visitors to come back."""
    with unhurried_host(), serve(replace(LIMITS, grace=60.0)) as url:
        yield url


@pytest.fixture(scope="module", params=[firefox, webkit], ids=["firefox", "webkit"])
def browser_window(request: pytest.FixtureRequest) -> Iterator[Window]:
    with request.param() as window:
        yield window


@pytest.fixture
def window(browser_window: Window, url: str) -> Window:
    """The browser's window, of a visitor who is new."""
    browser_window.open(url)
    browser_window.run("localStorage.clear(); sessionStorage.clear();")
    return browser_window


def open_page(window: Window, address: str) -> None:
    window.open(address)
    window.wait_for_text("#forecast", "64")


@pytest.mark.full
def test_a_press_at_the_very_moment_of_the_end_a_deletion_and_its_undo(window, url):
    open_page(window, url + SHORT)
    window.run(f"({PRESSES_AT_THE_END})()")
    window.click("#paint")
    window.until(lambda: window.count("#paintings .delete") == 2, "it was painted again")
    window.until(lambda: window.text("#paint") == "Paint", "the second one is done")
    window.wait_for_text("#status", "Your painting is ready")
    window.click("#paintings .delete")
    window.wait_for_text("#status", "Painting deleted")
    window.until(lambda: window.count("#download") == 0, "nothing is left of it")
    window.click("#paintings .open:not([title])")
    window.until(lambda: window.count("#paintings .delete") == 2, "it is back")
    window.until(lambda: window.count("#download") == 1, "it is shown")


def test_upload_opens_a_chooser_and_a_reload_forgets_nothing(window, url):
    open_page(window, url + SHORT)
    example = window.source("#photo img")
    window.run(CHOOSES)
    window.click('#photo [aria-label="Upload: photo"]')
    window.until(lambda: window.source("#photo img") != example, "the picture is there")
    assert window.run("return window.opened") == "file"
    own = window.source("#photo img")
    window.wait_for_text("#status", "Press Paint to watch it happen.")
    window.reload()
    window.until(lambda: window.source("#photo img") == own, "it is there again")
    window.click("#paint")
    window.wait_for_text("#status", "Your painting is ready")


@pytest.mark.full
def test_a_press_without_a_line_and_one_after_a_restart(window, url):
    with serve(LIMITS) as started_anew, relayed(url) as relay:
        open_page(window, relay.url + SHORT)
        relay.cut()
        window.click("#paint")
        window.wait_for_text("#status", "The server cannot be reached")
        window.until(lambda: window.text("#paint") == "Paint", "the button is back")
        relay.lead_to(started_anew)
        relay.mend()
        window.click("#paint")
        window.wait_for_text("#status", "Your painting is ready")


@pytest.mark.full
def test_a_small_frame_has_all_of_it_in_sight(window):
    window.run(FRAME)
    window.until(
        lambda: all(
            box and box[0] >= 0 and box[1] >= 0 and box[2] <= 320 and box[3] <= 400 and box[2] > box[0]
            for box in window.run(IN_FRAME)
        ),
        "canvas, pictures and button are in the frame",
    )


@pytest.mark.full
def test_all_comes_back(window, url):
    open_page(window, url + LONG)
    window.click("#style-examples button:nth-child(2)")
    window.until(lambda: "great_wave" in window.source("#style img"), "the style is chosen")
    window.click("#paint")
    window.wait_for_text("#status", "left")
    window.open(url)
    window.wait_for_text("#status", "left")
    assert window.text("#paint") == "Stop"
    assert "great_wave" in window.source("#style img")
    live = window.source("#live .canvas")
    window.until(lambda: window.source("#live .canvas") != live, "the canvas goes on")
    window.click("#paint")
    window.wait_for_text("#status", "Stopped")
    window.reload()
    window.click("#continue")
    window.wait_for_text("#status", "left")
    window.click("#paint")
    window.wait_for_text("#status", "Stopped")
    window.until(lambda: "/painting-" in window.source("#live .canvas"), "it is finished")
    # The newest stands first, as soon as it is in the row.
    window.until(lambda: window.count("#paintings .open") == 2, "both paintings stand in the row")
    window.click("#paintings .delete")
    window.wait_for_text("#status", "Painting deleted")
