"""The page for people who use a keyboard, a screen reader or little contrast."""

from __future__ import annotations

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from visits import choose, make_link, paint


def serious(page: Page, within: str | None = None) -> list[str]:
    """Return axe's serious and critical findings, by day and of the contrast by night: rule, and where."""
    found = []
    for scheme, rules in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(
            "dark => document.body.classList.contains('dark') === dark", arg=scheme == "dark"
        )
        # What passes over from one colour to another may be pale for a moment.
        page.wait_for_function("document.getAnimations().every(one => !(one instanceof CSSTransition))")
        options = {"resultTypes": ["violations"], **rules}
        found += [
            f"{scheme}: {each['id']}: {node['html'][:160]}"
            for each in Axe().run(page, within, options=options).response["violations"]
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]
    return found


def focused(page: Page) -> str:
    """Return the id, or else the name, of what has the keyboard."""
    return page.evaluate(
        "() => { const e = document.activeElement;"
        " return e.id || e.getAttribute('aria-label') || e.innerText || e.closest('[id]')?.id || '' }"
    )


def test_everything_is_reached_by_keyboard(page: Page):
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


def test_axe_has_nothing_serious_to_say(page: Page):
    choose(page, "photo", "Rocket")
    expect(page.locator("#status")).to_contain_text("This is an example")
    assert serious(page) == []
    groups = page.locator("#options .label-wrap")
    expect(groups).to_have_count(4)
    for group in groups.all():
        expect(group).to_have_attribute("aria-expanded", "false")
        group.click()
        expect(group).to_have_attribute("aria-expanded", "true")
    paint(page)
    page.get_by_role("tab", name="Expert").click()
    page.locator("#look").click()
    expect(page.locator("#inside .residual").first).to_be_visible()
    assert serious(page) == []
    page.get_by_role("tab", name="Time-lapse").click()
    expect(page.locator("#film video")).to_be_visible()
    assert serious(page, "#after") == []
    make_link(page, re.compile("http"))
    assert serious(page, "#after") == []
