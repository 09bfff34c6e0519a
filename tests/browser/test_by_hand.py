"""What a hand does: presses at the wrong moment, keys in place of a mouse, frames that are too small."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from served import LIMITS, serve
from visits import PRESSES_AT_THE_END, downloaded, open_page, press_paint, set_number, upload

from nst.optimization import estimate
from nst.optimization.estimate import Forecast


@pytest.mark.link("size=64&iterations=20")
def test_a_press_at_the_very_moment_of_the_end_paints_again(page: Page):
    page.evaluate(PRESSES_AT_THE_END)
    press_paint(page)
    expect(page.locator("#paintings .open")).to_have_count(2)
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    expect(page.locator("#paint")).to_have_text("Paint")
    assert page.evaluate("window.said") == "Paint"  # status and button say the same


@pytest.mark.link("size=64&iterations=20")
def test_a_finished_painting_is_compared_and_saved_by_keys(page: Page, tmp_path):
    press_paint(page)
    expect(page.locator("#compare .after")).to_have_attribute("src", re.compile(r"painting-\w+\.png"))
    slider = page.get_by_label("How much of the photo is shown")
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(slider).to_have_value("60")
    assert "60%" in page.locator("#compare .over").get_attribute("style")
    canvas, photo = page.locator("#live .canvas"), page.locator("#live .photo")
    canvas.focus()
    page.keyboard.down(" ")
    expect(photo).to_be_visible()
    page.keyboard.up(" ")
    expect(photo).to_be_hidden()
    with page.expect_download() as caught:
        page.get_by_role("button", name="Save as JPEG").click()
    assert re.fullmatch(r"matterhorn-starry_night-\d+.*\.jpg", caught.value.suggested_filename)
    caught.value.save_as(tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as saved:
        assert saved.format == "JPEG"
        assert saved.size == downloaded(page).size
    page.get_by_role("tab", name="Time-lapse").click()
    page.wait_for_function("document.querySelector('#film video')?.currentTime > 0")  # it plays


@pytest.mark.link("size=256&iterations=300")
def test_the_canvas_is_in_sight_while_a_slider_far_below_moves(page: Page):
    page.set_viewport_size({"width": 1366, "height": 650})
    for group in ("Look", "Quality"):
        page.get_by_role("button", name=group).click()
    press_paint(page)
    expect(page.locator("#status")).to_contain_text("Painting")
    page.locator("#smoothness input[type=range]").scroll_into_view_if_needed()
    page.mouse.wheel(0, 400)
    expect(page.locator("#live")).to_be_in_viewport(ratio=0.9)
    expect(page.locator("#status")).to_contain_text("Move a slider while it paints")
    set_number(page, "smoothness", 9)
    page.locator("#paint").click()


@pytest.mark.parametrize(("width", "height"), [(320, 400), (640, 480)])
def test_a_small_frame_has_all_of_it_in_sight(browser: Browser, url: str, width: int, height: int):
    context = browser.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    open_page(page, f"{url}?view=embed&size=64&iterations=20")
    press_paint(page)
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    for name in ("#live", "#status .line", "#download", "#paint", "#photo", "#style"):
        expect(page.locator(name)).to_be_in_viewport(ratio=0.99)
    assert page.locator("#live").bounding_box()["height"] >= 160
    context.close()


def test_the_shape_of_a_part_is_said_from_the_beginning(page: Page):
    page.get_by_role("button", name="Crop or rotate the style").click()
    expect(page.locator("#crop-style select option:checked")).to_have_text("Any")
    expect(page.locator("#crop-style").get_by_role("button", name="Crop style")).to_be_visible()


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
    assert page.locator("footer").count() == 0 or not page.locator("footer").inner_text().strip()


@pytest.mark.parametrize(
    ("seconds", "query", "size"),
    [(5.0, "", "768"), (40.0, "", "512"), (0.0, "", "512"), (5.0, "?size=256", "256")],
)
def test_a_page_begins_sharper_where_that_is_soon_done(browser, monkeypatch, seconds, query, size):
    monkeypatch.setattr(estimate, "forecast", lambda width, height, *_: Forecast(width, height, seconds))
    with serve(replace(LIMITS, size=1024)) as url:
        page = browser.new_page()
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
def test_what_is_better_known_of_a_photo_is_said(page: Page, tmp_path, mode, size, said):
    picture = Image.new(mode, size, "teal")
    if mode == "RGBA":
        picture.putpixel((5, 5), (0, 0, 0, 0))
    picture.save(tmp_path / "a.png")
    upload(page, "photo", tmp_path / "a.png")
    hint = page.locator("#photo").get_by_role("alert")
    if said:
        expect(hint).to_contain_text(said)
    else:
        expect(page.locator("#photo")).not_to_have_class(re.compile("receiving"))
        expect(hint).to_have_count(0)


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
    press_paint(page)
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
