"""Visits by hand in Firefox and WebKit, which is what Safari is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from served import LIMITS, serve
from unhurried import unhurried_host
from visits import LONG, SHORT
from windows import Window, firefox, webkit

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


@pytest.fixture(scope="module", params=[firefox, webkit], ids=["firefox", "webkit"])
def window(request: pytest.FixtureRequest) -> Iterator[Window]:
    with request.param() as window:
        yield window


def test_upload_opens_a_chooser_and_a_reload_forgets_nothing(window: Window, url: str):
    window.open(url + SHORT)
    window.wait_for_text("#forecast", "64")
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
def test_all_comes_back(window: Window):
    with unhurried_host(), serve(replace(LIMITS, grace=60.0)) as url:
        window.open(url + LONG)
        window.wait_for_text("#forecast", "64")
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
        window.until(lambda: window.count("#download") == 0, "nothing is left of it")
        window.click("#paintings .open:not([title])")
        window.until(lambda: window.count("#paintings .delete") == 2, "it is back")
        window.until(lambda: window.count("#download") == 1, "it is shown")
