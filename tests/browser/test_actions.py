"""What can be done with a finished picture by the browser alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect
from visits import SHARES, WAIT, open_page, press_paint, press_stop, unhurried_host


@pytest.fixture(scope="module")
def painted(browser: Browser, url: str):
    """A page that has painted, in a browser that shares files."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.add_init_script(SHARES)
    page = context.new_page()
    page.set_default_timeout(WAIT)
    open_page(page, url + "?size=64&iterations=20")
    press_paint(page)
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    yield page
    context.close()


def test_share_hands_the_picture_over_and_says_if_it_cannot(painted: Page):
    share = painted.locator("#share")
    share.click()
    painted.wait_for_function("window.shared")
    told = painted.evaluate("shared")
    assert re.fullmatch(r"matterhorn-starry_night-20\d\d-\d\d-\d\d\.png", told["name"])
    assert (told["title"], told["type"]) == ("Painted live", "image/png")
    assert told["size"] > 3000
    painted.evaluate("window.refuses = 'NotAllowedError'")
    share.click()
    expect(share).to_have_text("Not shared")
    expect(share).to_have_text("Share")
    # Whoever changes their mind has no need to be told.
    painted.evaluate("window.refuses = 'AbortError'; window.shared = null")
    share.click()
    painted.wait_for_function("window.shared")
    painted.wait_for_timeout(300)
    assert share.inner_text() == "Share"


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


def test_where_nothing_can_be_shared_there_is_no_button_for_it(browser: Browser, url: str):
    context = browser.new_context()
    context.add_init_script("delete Navigator.prototype.canShare; navigator.canShare = undefined")
    page = context.new_page()
    page.set_default_timeout(WAIT)
    open_page(page, url + "?size=64&iterations=20")
    press_paint(page)
    expect(page.locator("#download")).to_be_visible()
    expect(page.locator("#share")).to_be_hidden()
    context.close()


@pytest.mark.parametrize(("motion", "passes"), [("no-preference", True), ("reduce", False)])
def test_frames_pass_into_one_another_unless_motion_is_not_wanted(browser, url, motion, passes):
    context = browser.new_context(reduced_motion=motion)
    page = context.new_page()
    page.set_default_timeout(WAIT)
    open_page(page, url + "?size=64&iterations=1000")
    page.evaluate(
        """() => {
          window.passed = 0; window.frames_seen = 0;
          const animate = Element.prototype.animate;
          Element.prototype.animate = function (...told) {
            if (this.matches('#live .canvas')) window.passed += 1;
            return animate.apply(this, told); };
          new MutationObserver(() => { window.frames_seen += 1; }).observe(
            document.querySelector('#live .canvas'), { attributes: true, attributeFilter: ['src'] }); }"""
    )
    with unhurried_host():
        press_paint(page)
        page.wait_for_function("window.frames_seen >= 4")
        press_stop(page)
        expect(page.locator("#status")).to_contain_text("Stopped")
    assert (page.evaluate("passed") > 0) is passes
    context.close()
