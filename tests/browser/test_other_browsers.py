"""Visits by hand in Firefox and WebKit, which is what Safari is made of."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace

import pytest
from clips import made_film
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


# The same with a film; its bytes are put in.
CHOOSES_FILM = """HTMLInputElement.prototype.click = function () {
  const given = new DataTransfer(), bytes = Uint8Array.from(atob('FILM'), (letter) => letter.charCodeAt(0));
  given.items.add(new File([bytes], 'own.mp4', { type: 'video/mp4' }));
  this.files = given.files;
  this.dispatchEvent(new Event('change'));
};"""
PLAYS = """const video = document.querySelector('#film video'), kind = 'video/mp4; codecs="avc1.42E01E"';
return Boolean(video) && (video.currentTime > 0.2 || !video.canPlayType(kind));"""


@pytest.mark.full
def test_a_clip_is_painted_and_plays(window: Window, url: str, tmp_path):
    film = made_film(tmp_path / "a.mp4", times=range(16)).read_bytes()
    window.open(url + SHORT)
    window.wait_for_text("#forecast", "64")
    window.run(CHOOSES_FILM.replace("FILM", base64.b64encode(film).decode()))
    window.click('#photo [aria-label="Upload: photo"]')
    window.wait_for_text("#forecast", "16 frames")
    window.click("#paint")
    window.until(
        lambda: window.run("return document.querySelector('#so-far img')?.naturalWidth > 0"), "it plays"
    )
    window.wait_for_text("#status", "Your painting is ready")
    window.until(lambda: ".webp" in window.source("#live .canvas"), "the clip is on the canvas")
    window.click("button[role=tab]:nth-of-type(2)")
    window.until(lambda: window.run(PLAYS), "the film plays")
