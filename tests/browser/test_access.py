"""The page for people who use a keyboard, a screen reader or little contrast."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from visits import LAPTOP, open_group, paint


def serious(page: Page, rules: Sequence[str] = (), within: str | None = None) -> list[str]:
    """Return axe's serious and critical findings, of some rules or all, in a part or all: rule, and where.

    What passes over from one colour to another may be pale for a moment, on a busy machine for longer.
    """
    chosen = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    for _ in range(8):
        violations = Axe().run(page, within, options=chosen).response["violations"]
        found = [
            f"{each['id']}: {node['html'][:160]}"
            for each in violations
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]
        if not found:
            break
        page.wait_for_timeout(500)
    return found


def in_the_dark(page: Page, within: str | None = None) -> list[str]:
    """Return what of the contrast is too little at night; all else is the same."""
    page.emulate_media(color_scheme="dark")
    expect(page.locator("body")).to_have_class(re.compile("dark"))
    page.wait_for_timeout(400)  # colours pass over into each other
    found = serious(page, ["color-contrast"], within)
    page.emulate_media(color_scheme="light")
    expect(page.locator("body")).not_to_have_class(re.compile("dark"))
    page.wait_for_timeout(400)
    return found


def test_axe_has_nothing_serious_to_say(visitor):
    page = visitor("?size=64&iterations=20", viewport=LAPTOP, color_scheme="light")
    assert serious(page) == []
    groups = page.locator("#options .label-wrap")
    expect(groups).to_have_count(4)
    for group in groups.all():
        expect(group).to_have_attribute("aria-expanded", "false")
        group.click()
        expect(group).to_have_attribute("aria-expanded", "true")
    paint(page)
    assert serious(page) == []
    assert in_the_dark(page) == []
    for tab in ("Expert", "Time-lapse", "Link and settings"):
        page.get_by_role("tab", name=tab).click()
        if tab == "Expert":
            page.locator("#look").click()
            expect(page.locator("#inside .residual").first).to_be_visible()
        if tab == "Link and settings":
            page.locator("#make-link").click()
        page.wait_for_timeout(200)
        assert serious(page, within="#after") == [], tab
        assert in_the_dark(page, "#after") == [], tab


def focused(page: Page) -> str:
    """Return the id, or else the name, of what has the keyboard."""
    return page.evaluate(
        "() => { const e = document.activeElement;"
        " return e.id || e.getAttribute('aria-label') || e.innerText || e.closest('[id]')?.id || '' }"
    )


@pytest.mark.link("size=64&iterations=20")
def test_everything_is_reached_by_keyboard(page):
    open_group(page, "Quality")
    first = "document.querySelector('.gradio-container :is(a[href], button, input)').className"
    assert page.evaluate(first) == "skip"
    page.locator(".skip").focus()
    passed = []
    for _ in range(80):
        page.keyboard.press("Tab")
        passed.append(focused(page))
        if passed[-1] == "Use the style Marbling":
            page.keyboard.press("Enter")
        if passed[-1] == "Bold":
            break
    for name in ("Use the photo Rocket", "Use the style Marbling", "paint", "Light touch", "Bold"):
        assert name in passed, passed
    # The first stop leads past all the pictures.
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    assert focused(page) == "paint"
    page.keyboard.press("Enter")
    # The button that has become Stop keeps the keyboard.
    expect(page.locator("#paint")).to_have_text("Stop")
    assert focused(page) == "paint"
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    expect(page.locator("#style img").first).to_have_attribute("src", re.compile("marbling"))
