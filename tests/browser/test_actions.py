"""What can be done with a finished picture: share and save it, compare it, go on from it."""

import json
import re
from collections.abc import Iterator
from functools import partial

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from visits import SHARES, SHORT, choose, downloaded, drop, finished, paint, set_number, visit

from nst.page.parts import stage

NAME = re.compile(r"^matterhorn-starry_night-20\d\d-\d\d-\d\d\.png$")


@pytest.fixture(scope="module")
def painted(browser: Browser, url: str) -> Iterator[Page]:
    """A page that has painted, in a browser that shares files."""
    with visit(browser, url + SHORT, SHARES, permissions=["clipboard-read", "clipboard-write"]) as page:
        paint(page)
        yield page


def test_share_hands_the_picture_over_and_says_if_it_cannot(painted: Page):
    share = painted.locator("#share")
    share.click()
    painted.wait_for_function("window.shared")
    message = painted.evaluate("shared")
    assert NAME.fullmatch(message["name"])
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


def test_it_fills_the_screen_and_is_compared_with_the_photo(painted: Page):
    painted.locator("#whole").click()
    painted.wait_for_function("document.fullscreenElement?.id === 'live'")
    painted.evaluate("document.exitFullscreen()")
    painted.wait_for_function("!document.fullscreenElement")
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
    canvas.hover()
    keys, mouse = painted.keyboard, painted.mouse
    for hold, release in ((partial(keys.down, " "), partial(keys.up, " ")), (mouse.down, mouse.up)):
        hold()
        expect(photo).to_be_visible()
        release()
        expect(photo).to_be_hidden()
    assert photo.get_attribute("src") == painted.locator("#photo img").first.get_attribute("src")


def test_it_is_copied_and_saved_under_the_names_of_its_pictures(painted: Page):
    painted.locator("#copy").click()
    expect(painted.locator("#copy")).to_have_text("Copied")
    read = """async () => {
      const [item] = await navigator.clipboard.read();
      const bitmap = await createImageBitmap(await item.getType('image/png'));
      return [bitmap.width, bitmap.height] }"""
    assert painted.evaluate(read) == [64, 43]
    expect(painted.locator("#download")).to_have_attribute("download", NAME)
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


def test_going_on_from_a_frame_and_larger(painted: Page, photo, monkeypatch):
    monkeypatch.setattr(stage, "_SIZES", (64, 128, 768))
    paint(painted)
    whole = finished(painted)
    strip = painted.locator("#history button")
    expect(strip.nth(2)).to_be_visible()
    strip.first.click()
    expect(painted.locator("#status")).to_contain_text("Step 1. Press Continue to go on from here")
    expect(painted.locator("#live .canvas")).not_to_have_attribute("src", whole)
    # What is saved is what is shown.
    assert downloaded(painted).format == "JPEG"
    # A frame on the way goes on with Continue; the finished picture, chosen again, larger too.
    expect(painted.locator("#larger")).to_have_count(0)
    strip.last.click()
    expect(painted.locator("#live .canvas")).to_have_attribute("src", whole)
    painted.locator("#larger summary").click()
    offered = painted.locator("#larger button")
    expect(offered).to_have_text([re.compile(r"^128 px · 1 cm in print")])  # 768 are too many for this host
    offered.click()
    # Of 64 and 128 px both are painted, as the canvas has 64.
    expect(painted.locator("#status .line")).to_have_attribute("title", re.compile("^20 steps .* 128 × 85"))  # noqa: RUF001
    finished(painted)
    assert downloaded(painted).size == (128, 85)
    expect(painted.locator("#larger")).to_have_count(0)  # there is nothing larger here
    # On from the finished picture: only the last size is painted again.
    set_number(painted, "style_weight", 9)
    painted.locator("#continue").click()
    expect(painted.locator("#status .line")).to_have_attribute("title", re.compile("^10 steps"))
    assert json.loads(downloaded(painted).info["Settings"])["style_weight"] == 9
    # A painting of another photo is no way to go on with this one.
    drop(painted, "#photo img", photo.read_bytes())
    expect(painted.locator("#status")).to_contain_text("You changed the pictures. Press Paint to use them.")
    painted.locator("#continue").click()
    expect(painted.get_by_role("alert")).to_contain_text("Continue needs the photo it began with.")
    expect(painted.locator("#paint")).to_have_text("Paint")
    # What two examples become is shown also after a painting, which stays in the row.
    choose(painted, "photo", "Rocket")
    expect(painted.locator("#live .canvas")).to_have_attribute("src", re.compile("rocket-starry_night"))
    expect(painted.locator("#download, #continue, #history button")).to_have_count(0)
    expect(painted.locator("#paintings .delete").first).to_be_visible()
