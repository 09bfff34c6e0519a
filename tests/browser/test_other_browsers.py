"""Visits by hand in Firefox and WebKit, which is what Safari is made of."""

import base64

import pytest
from clips import made_film
from windows import firefox, webkit

# What is chosen in the window for files, which nothing can drive; the file's bytes are put in.
CHOOSES = """HTMLInputElement.prototype.click = function () {
  window.opened = this.type;
  const given = new DataTransfer(), bytes = Uint8Array.from(atob('BYTES'), (letter) => letter.charCodeAt(0));
  given.items.add(new File([bytes], 'own.mp4', { type: 'video/mp4' }));
  this.files = given.files;
  this.dispatchEvent(new Event('change'));
};"""


@pytest.mark.parametrize("browser", [firefox, webkit])
def test_a_clip_of_ones_own_is_there_after_a_reload_and_is_painted(browser, url, tmp_path):
    film = made_film(tmp_path / "own.mp4", times=range(4)).read_bytes()
    with browser() as window:
        window.open(url + "?size=64&iterations=10")
        window.wait_for_text("#forecast", "64")
        example = window.source("#photo img")
        window.run(CHOOSES.replace("BYTES", base64.b64encode(film).decode()))
        window.click('#photo [aria-label="Upload: photo"]')
        window.until(lambda: window.source("#photo img") != example, "the picture is there")
        assert window.run("return window.opened") == "file"
        own = window.source("#photo img")
        window.wait_for_text("#forecast", "4 frames")
        window.reload()
        window.until(lambda: window.source("#photo img") == own, "it is there again")
        window.click("#paint")
        window.wait_for_text("#status", "Your painting is ready")
        window.until(lambda: ".webp" in window.source("#live .canvas"), "the clip is on the canvas")
