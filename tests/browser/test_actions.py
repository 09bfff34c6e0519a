"""What can be done with a finished picture."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from unhurried import unhurried_host
from visits import LAPTOP, SHARES, SHORT, begin, paint, set_number, stop, visit


@pytest.fixture(scope="module")
def painted(browser: Browser, url: str) -> Iterator[Page]:
    """A page that has painted, in a browser that shares files."""
    options = {"viewport": LAPTOP, "permissions": ["clipboard-read", "clipboard-write"]}
    with visit(browser, url + SHORT, SHARES, **options) as page:
        paint(page)
        yield page


def test_it_is_named_after_its_pictures_and_says_how_it_was_made(painted: Page):
    line = painted.locator("#status .line")
    expect(line).to_have_attribute("title", re.compile(r"^20 steps · .*Narrow network on"))
    name = re.compile(r"^matterhorn-starry_night-20\d\d-\d\d-\d\d\.png$")
    expect(painted.locator("#download")).to_have_attribute("download", name)


def test_share_hands_the_picture_over_and_says_if_it_cannot(painted: Page):
    share = painted.locator("#share")
    share.click()
    painted.wait_for_function("window.shared")
    message = painted.evaluate("shared")
    assert re.fullmatch(r"matterhorn-starry_night-20\d\d-\d\d-\d\d\.png", message["name"])
    assert (message["title"], message["type"]) == ("Painted live", "image/png")
    assert message["size"] > 3000
    # Whoever changes their mind has no need to be told.
    painted.evaluate("window.refuses = 'AbortError'; window.shared = null")
    share.click()
    painted.wait_for_function("window.shared")
    painted.evaluate("new Promise(requestAnimationFrame)")
    assert share.inner_text() == "Share"
    painted.evaluate("window.refuses = 'NotAllowedError'")
    share.click()
    expect(share).to_have_text("Not shared")


def test_copy_puts_the_picture_on_the_clipboard(painted: Page):
    painted.locator("#copy").click()
    expect(painted.locator("#copy")).to_have_text("Copied")
    read = """async () => {
      const [item] = await navigator.clipboard.read();
      const bitmap = await createImageBitmap(await item.getType('image/png'));
      return [bitmap.width, bitmap.height] }"""
    assert painted.evaluate(read) == [64, 43]


def test_the_canvas_fills_the_screen(painted: Page):
    painted.locator("#whole").click()
    painted.wait_for_function("document.fullscreenElement?.id === 'live'")
    painted.evaluate("document.exitFullscreen()")
    painted.wait_for_function("!document.fullscreenElement")


def test_it_is_compared_with_the_photo(painted: Page):
    expect(painted.locator("#compare .after")).to_have_attribute("src", re.compile(r"painting-\w+\.png"))
    slider = painted.get_by_label("How much of the photo is shown")
    slider.focus()
    for _ in range(10):
        painted.keyboard.press("ArrowRight")
    expect(slider).to_have_value("60")
    assert "60%" in painted.locator("#compare .over").get_attribute("style")
    # The photo is seen for as long as the picture is held.
    photo, canvas = painted.locator("#live .photo"), painted.locator("#live .canvas")
    canvas.focus()
    painted.keyboard.down(" ")
    expect(photo).to_be_visible()
    assert photo.get_attribute("src") == painted.locator("#photo img").first.get_attribute("src")
    painted.keyboard.up(" ")
    expect(photo).to_be_hidden()
    canvas.hover()
    painted.mouse.down()
    expect(photo).to_be_visible()
    painted.mouse.up()
    expect(photo).to_be_hidden()


def test_it_is_saved_as_jpeg_and_as_a_film(painted: Page):
    with painted.expect_download() as caught:
        painted.get_by_role("button", name="Save as JPEG").click()
    assert re.fullmatch(r"matterhorn-starry_night-\d+.*\.jpg", caught.value.suggested_filename)
    saved = Image.open(caught.value.path())
    assert (saved.format, saved.size) == ("JPEG", (64, 43))
    painted.get_by_role("tab", name="Time-lapse").click()
    expect(painted.locator("#film video")).to_have_attribute("src", re.compile(r"\.mp4$"))
    painted.wait_for_function("document.querySelector('#film video').currentTime > 0")  # it plays
    with painted.expect_download() as caught:
        painted.locator("#webp").click()
    assert Image.open(caught.value.path()).format == "WEBP"


def test_its_inside_is_shown(painted: Page):
    painted.get_by_role("tab", name="Expert").click()
    expect(painted.locator("#loss svg, #loss canvas").first).to_be_visible()
    painted.locator("#look").click()
    expect(painted.get_by_alt_text("Gram matrix of the painting at relu4_1")).to_be_visible()
    expect(painted.locator("#inside .residual")).to_have_count(5)
    expect(painted.get_by_alt_text("Feature map 1 of relu2_1")).to_be_visible()


def test_frames_pass_into_one_another_unless_motion_is_not_wanted(painted: Page):
    painted.evaluate(
        """() => {
          const canvas = document.querySelector('#live .canvas'), animate = canvas.animate;
          canvas.animate = function (...told) { window.passed += 1; return animate.apply(this, told); };
          new MutationObserver(() => { window.frames_seen += 1; })
            .observe(canvas, { attributes: true, attributeFilter: ['src'] }); }"""
    )
    set_number(painted, "iterations", 1000)
    with unhurried_host():
        begin(painted)
        for motion, passes in (("no-preference", True), ("reduce", False)):
            painted.emulate_media(reduced_motion=motion)
            painted.evaluate("window.passed = window.frames_seen = 0")
            painted.wait_for_function("window.frames_seen >= 3")
            assert (painted.evaluate("passed") > 0) is passes
        stop(painted)
