"""Strangers get from opening the page to a shared picture, and need not scroll for the next step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect
from unhurried import unhurried_host
from visits import SHARES, SHIFTS, visit


@pytest.mark.parametrize(
    ("width", "height", "options", "press"),
    [
        (683, 384, {"color_scheme": "dark", "device_scale_factor": 2}, Locator.click),
        (1024, 768, {}, lambda button: button.press("Enter")),
        (390, 664, {"has_touch": True, "is_mobile": True}, Locator.tap),
    ],
    ids=["dark, 200 %", "keyboard", "phone"],
)
def test_from_opening_to_a_shared_picture(
    browser: Browser,
    url: str,
    width: int,
    height: int,
    options: dict[str, Any],
    press: Callable[[Locator], None],
):
    size = {"width": width, "height": height}
    address = url + "?size=64&iterations=60"
    with visit(browser, address, SHARES + SHIFTS, viewport=size, **options) as page:
        paint = page.locator("#paint")

        def in_sight(*names: str) -> None:
            for name in names:
                expect(page.locator(name)).to_be_in_viewport(ratio=0.9)

        in_sight("#paint")
        place = paint.bounding_box()
        with unhurried_host():
            press(paint)
            expect(page.locator("#status")).to_contain_text("Painting")
            expect(paint).to_have_text("Stop")
            in_sight("#paint", "#live .canvas", "#status .line")
            page.evaluate("window.shifted = 0")  # from here on nothing is pressed
        expect(page.locator("#status")).to_contain_text("Your painting is ready")
        in_sight("#live .canvas", "#status .line", "#share", "#download")
        if width >= 1024:  # elsewhere it gives its place to what there is to do
            assert paint.bounding_box() == place
        expect(page.locator("#history button").first).to_be_attached()
        assert page.evaluate("window.shifted") < 0.1
        press(page.locator("#share"))
        page.wait_for_function("window.shared")
        # Whoever goes back up to the pictures keeps sight of what there is to do.
        page.evaluate("window.scrollTo(0, 0)")
        expect(page.locator("#photo")).to_be_in_viewport()
        in_sight("#share", "#download")
