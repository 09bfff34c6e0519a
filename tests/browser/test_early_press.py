"""The module of the page's scripts, as it comes."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Route, expect
from visits import press_paint


def test_nothing_can_be_pressed_before_it_is_there_and_it_is_asked_for_once(browser: Browser, url: str):
    context = browser.new_context()
    page, held = context.new_page(), []
    page.route(re.compile(r"/scripts\.js\?"), lambda route: held.append(route))
    page.goto(url + "?size=64&iterations=20", wait_until="commit")
    expect(page.locator("#after")).to_have_count(1)
    page.wait_for_timeout(500)
    expect(page.locator("#opening")).to_be_visible()
    assert page.evaluate("document.querySelector('gradio-app').inert")
    requests: list[Route] = list(held)
    assert len(requests) == 1
    requests[0].continue_()
    expect(page.locator("#opening")).to_have_count(0)
    press_paint(page)
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    assert len(held) == 1
    context.close()
