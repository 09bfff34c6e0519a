"""What a hand does besides painting: small frames, the foot, odd photos, a mask from a file, a reload."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from pictures import encoded
from PIL import Image
from playwright.sync_api import Page, expect
from served import LIMITS, serve
from visits import drop, open_page, paint, set_number, upload

from nst.optimization import estimate
from nst.optimization.estimate import Forecast


def test_a_small_frame_has_all_of_it_in_sight(visitor):
    page = visitor("?view=embed&size=64&iterations=20", viewport={"width": 320, "height": 400})
    paint(page)
    for name in ("#live", "#status .line", "#download", "#paint", "#photo", "#style"):
        expect(page.locator(name)).to_be_in_viewport(ratio=0.99)
    assert page.locator("#live").bounding_box()["height"] >= 160


def test_the_shape_of_a_part_is_said_from_the_beginning(shared_page: Page):
    shared_page.get_by_role("button", name="Crop or rotate the style").click()
    expect(shared_page.locator("#crop-style select option:checked")).to_have_text("Any")
    expect(shared_page.locator("#crop-style").get_by_role("button", name="Crop style")).to_be_visible()
    shared_page.get_by_role("dialog").get_by_role("button", name="Cancel").click()


def test_the_foot_says_what_becomes_of_a_photo_and_changes_the_light(page: Page):
    expect(page.locator("#privacy")).to_contain_text("Only you see your photo. Deleted after 1 hour.")
    page.locator("#foot summary", has_text="Privacy").click()
    expect(page.locator("#foot")).to_contain_text("deleted 1 hour after they were last used")
    dark = page.evaluate("document.body.classList.contains('dark')")
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate("document.body.classList.contains('dark')") is not dark
    page.reload()
    expect(page.locator("#paint")).to_be_visible()
    page.wait_for_function("(dark) => document.body.classList.contains('dark') === dark", arg=not dark)
    expect(page.locator("footer", has_text=re.compile(r"\S"))).to_have_count(0)  # Gradio's own


def taking(seconds: float) -> Callable[..., Forecast]:
    """Return a forecast of a host that takes as long for whatever it is."""
    return lambda width, height, *_: Forecast(width, height, seconds)


def test_a_page_begins_sharper_where_that_is_soon_done(browser, monkeypatch):
    page = browser.new_page()
    with serve(replace(LIMITS, size=1024)) as url:
        for seconds, query, size in (
            (5.0, "", "768"),
            (40.0, "", "512"),
            (0.0, "", "512"),  # nobody knows
            (5.0, "?size=256", "256"),
        ):
            monkeypatch.setattr(estimate, "forecast", taking(seconds))
            open_page(page, url + query)
            page.get_by_role("button", name="Quality").click()
            expect(page.locator("#size input[type=number]")).to_have_value(size)
    page.close()


@pytest.mark.parametrize(
    ("mode", "size", "said"),
    [
        ("RGB", (48, 40), "only 48 × 40 pixels; a larger one paints sharper"),  # noqa: RUF001
        ("RGB", (1200, 200), "very long; crop it"),
        ("RGBA", (200, 150), "Transparent parts become white"),
        ("RGB", (200, 150), ""),
    ],
)
def test_what_is_better_known_of_a_photo_is_said(shared_page: Page, mode, size, said):
    picture = Image.new(mode, size, "teal")
    if mode == "RGBA":
        picture.putpixel((5, 5), (0, 0, 0, 0))
    before = shared_page.locator("#photo img").first.get_attribute("src")
    assert drop(shared_page, "#photo img", encoded(picture, "PNG"), "a.png", "image/png")
    expect(shared_page.locator("#photo img").first).not_to_have_attribute("src", before)
    expect(shared_page.locator("#photo")).not_to_have_class(re.compile("receiving"))
    expect(shared_page.locator("#photo").get_by_role("alert")).to_have_text(
        [re.compile(said)] if said else []
    )


def test_a_mask_comes_from_a_file_too(page: Page, tmp_path):
    mask = Image.new("L", (120, 80), 0)
    mask.paste(255, (0, 0, 60, 80))
    mask.save(tmp_path / "mask.png")
    page.get_by_role("button", name="Areas").click()
    page.get_by_role("button", name="Keep the photo").focus()
    page.keyboard.press("Enter")
    page.locator("#brush .mask").set_input_files(tmp_path / "mask.png")
    drawn = """() => {
      const canvas = document.querySelector('#brush canvas'), pen = canvas.getContext('2d');
      const at = (share) => [...pen.getImageData(share * canvas.width, canvas.height / 2, 1, 1).data];
      return [at(0.25), at(0.75)[3]];
    }"""
    page.wait_for_function(f"JSON.stringify(({drawn})()) === '[[255,255,255,255],0]'")


@pytest.mark.link("size=64&iterations=20")
def test_a_reload_before_the_first_painting_forgets_nothing(page: Page, photo):
    upload(page, "photo", photo)
    page.get_by_role("button", name="Use the style Marbling").click()
    expect(page.locator("#style img").first).to_have_attribute("src", re.compile("marbling"))
    set_number(page, "style_weight", 7)
    mine = page.locator("#photo img").first.get_attribute("src")
    page.reload()
    expect(page.locator("#photo img").first).to_have_attribute("src", mine)
    expect(page.locator("#style img").first).to_have_attribute("src", re.compile("marbling"))
    expect(page.locator("#style_weight input[type=number]")).to_have_value("7")
    expect(page.locator("#live .canvas")).to_have_attribute("src", mine)
    expect(page.locator("#forecast")).to_contain_text("64")
    paint(page)
