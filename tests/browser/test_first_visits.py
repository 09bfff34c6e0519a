"""Strangers get from opening the page to a shared picture, and need not scroll for the next step."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect
from visits import SHARES, SHIFTS, WAIT

SLOW = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}


PHONE = {"has_touch": True, "is_mobile": True}
VISITS = {
    "laptop": (1366, 768, {}),
    "dark, 200 %": (683, 384, {"color_scheme": "dark", "device_scale_factor": 2}),
    "keyboard": (1024, 768, {}),
    "phone on a slow line": (390, 664, PHONE),
}


def press(page: Page, name: str, visit: str) -> None:
    """Press a button as this visitor does."""
    if visit == "keyboard":
        for _ in range(30):
            if page.evaluate(f"document.activeElement.id === '{name}'"):
                break
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
    elif "phone" in visit:
        page.locator(f"#{name}").tap()
    else:
        page.locator(f"#{name}").click()


@pytest.mark.parametrize("visit", VISITS)
@pytest.mark.usefixtures("unhurried")
def test_from_opening_to_a_shared_picture(visit: str, browser: Browser, url: str):
    width, height, more = VISITS[visit]
    context = browser.new_context(viewport={"width": width, "height": height}, base_url=url, **more)
    context.add_init_script(SHARES + SHIFTS)
    page = context.new_page()
    page.set_default_timeout(WAIT)
    if "slow" in visit:
        line = context.new_cdp_session(page)
        line.send("Network.enable")
        line.send("Network.emulateNetworkConditions", SLOW)

    def in_sight(*names: str) -> None:
        for name in names:
            expect(page.locator(name)).to_be_in_viewport(ratio=0.9)

    page.goto("?size=64&iterations=20")
    expect(page.locator("#opening")).to_have_count(0)  # what one sees before there is a button
    in_sight("#paint")
    expect(page.locator("#iterations input[type=number]")).to_have_value("20")
    if visit == "keyboard":
        page.keyboard.press("Tab")  # to the link that skips the pictures
        page.keyboard.press("Enter")
        expect(page.locator("#paint")).to_be_focused()
    place = page.locator("#paint").bounding_box()
    press(page, "paint", visit)
    expect(page.locator("#status")).to_contain_text("Painting")
    expect(page.locator("#paint")).to_have_text("Stop")
    in_sight("#paint", "#live .canvas", "#status .line")
    page.evaluate("window.shifted = 0")  # from here on nothing is pressed
    if width >= 1024:  # elsewhere it gives its place to what there is to do
        assert page.locator("#paint").bounding_box() == place
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    in_sight("#live .canvas", "#status .line", "#share", "#download")
    if width >= 1024:
        assert page.locator("#paint").bounding_box() == place
    expect(page.locator("#history button").first).to_be_attached()
    assert page.evaluate("window.shifted") < 0.1
    press(page, "share", visit)
    page.wait_for_function("window.shared")
    assert page.evaluate("shared.name").startswith("matterhorn-starry_night-")
    # Whoever goes back up to the pictures keeps sight of what there is to do.
    page.evaluate("window.scrollTo(0, 0)")
    expect(page.locator("#photo")).to_be_in_viewport()
    in_sight("#share", "#download")
    context.close()
