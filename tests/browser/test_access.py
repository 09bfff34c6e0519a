"""The page for people with a keyboard, a screen reader, little contrast, a small screen or a telephone."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect
from served import unhurried_host
from visits import SHARES, SHIFTS, choose, make_link, paint, visit


def serious(page: Page, within: str | None = None) -> list[str]:
    """Return axe's serious and critical findings, by day and of the contrast by night: rule, and where."""
    found = []
    for scheme, rules in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
        page.emulate_media(color_scheme=scheme)
        expect(page.locator("body.dark")).to_have_count(int(scheme == "dark"))
        # What passes over from one colour to another may be pale for a moment.
        page.wait_for_function("document.getAnimations().every(one => !(one instanceof CSSTransition))")
        found += [
            f"{scheme}: {each['id']}: {node['html'][:160]}"
            for each in Axe()
            .run(page, within, {"resultTypes": ["violations"], **rules})
            .response["violations"]
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]
    return found


def focused(page: Page) -> str:
    """Return the id, or else the name, of what has the keyboard."""
    return page.locator("*:focus").evaluate("e => e.id || e.getAttribute('aria-label') || e.innerText || ''")


def test_everything_is_reached_by_keyboard(page: Page):
    expect(page.locator(".gradio-container :is(a[href], button, input)").first).to_have_class("skip")
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
    for group in page.locator("#options .label-wrap").all():
        group.click()
        expect(group).to_have_attribute("aria-expanded", "true")
    paint(page)
    page.get_by_role("tab", name="Expert").click()
    page.locator("#look").click()
    expect(page.locator("#loss svg, #loss canvas").first).to_be_visible()
    expect(page.get_by_alt_text("Gram matrix of the painting at relu4_1")).to_be_visible()
    expect(page.get_by_alt_text("Feature map 1 of relu2_1")).to_be_visible()
    expect(page.locator("#inside .residual")).to_have_count(5)
    assert serious(page) == []
    page.get_by_role("tab", name="Time-lapse").click()
    expect(page.locator("#film video")).to_be_visible()
    assert serious(page, "#after") == []
    make_link(page, re.compile("http"))
    assert serious(page, "#after") == []


@pytest.mark.parametrize(
    ("width", "height", "options", "press"),
    [
        (683, 384, {"color_scheme": "dark", "device_scale_factor": 2}, lambda button: button.press("Enter")),
        (390, 664, {"has_touch": True, "is_mobile": True}, Locator.tap),
    ],
)
def test_the_next_step_is_in_sight_without_scrolling(
    browser: Browser, url: str, width, height, options, press
):
    options |= {"viewport": {"width": width, "height": height}}
    with visit(browser, url + "?size=64&iterations=60", SHARES + SHIFTS, **options) as page:
        button = page.locator("#paint")

        def in_sight(*names: str) -> None:
            for name in names:
                expect(page.locator(name)).to_be_in_viewport(ratio=0.9)

        in_sight("#paint")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for name in ("#paint", "#chips button", ".strip button", "#photo .source-selection button"):
            box = page.locator(name).first.bounding_box()
            assert not options.get("has_touch") or min(box["width"], box["height"]) >= 44, name
        assert page.evaluate("window.shifted") < 0.05
        with unhurried_host():
            press(button)
            expect(page.locator("#status")).to_contain_text("Painting")
            expect(button).to_have_text("Stop")
            in_sight("#paint", "#live .canvas", "#status .line")
            page.evaluate("window.shifted = 0")  # from here on nothing is pressed
        expect(page.locator("#status")).to_contain_text("Your painting is ready")
        in_sight("#live .canvas", "#status .line", "#share", "#download")
        expect(page.locator("#history button").first).to_be_attached()
        assert page.evaluate("window.shifted") < 0.1
        # Whoever goes back up to the pictures keeps sight of what there is to do.
        page.evaluate("window.scrollTo(0, 0)")
        expect(page.locator("#photo")).to_be_in_viewport()
        in_sight("#share", "#download")
