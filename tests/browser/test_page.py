"""The page in a real browser: pictures, controls, links."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
from pictures import jpeg, picture
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from served import LIMITS, serve
from visits import (
    SHORT,
    begin,
    choose,
    downloaded,
    drag,
    finished,
    make_link,
    open_group,
    paint,
    press,
    set_number,
    shown,
    upload,
    visit,
)
from waiting import eventually

from nst import Settings
from nst.image.metadata import describe_painting
from nst.image.picture_files import encode_png
from nst.optimization import estimate
from nst.optimization.estimate import Forecast
from nst.page.gallery import all_finished, finished_file, photos, styles
from nst.page.parts.presets import MAIN, PRESETS

BLOGS = "http://localhost:5000/a-blog/frame", "http://localhost:5000/a-blog/component"  # nobody need listen
DRAWN = """() => {
  const canvas = document.querySelector('#brush canvas');
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.some((value) => value > 0);
}"""


def test_examples_and_presets_take_one_click(page: Page):
    expect(page.locator("#status")).to_contain_text("This is an example")
    chips = page.locator("#chips button")
    assert [chip.inner_text().strip() for chip in chips.all()] == list(PRESETS)
    # Each example shows its own part of the one picture that holds all of them; those in use are marked.
    strip = page.locator("#style-examples button")
    style = "e => [getComputedStyle(e).backgroundImage, getComputedStyle(e).backgroundPositionX]"
    shown = {tuple(example.locator("i").evaluate(style)) for example in strip.all()}
    assert len(shown) == strip.count()
    assert all("/thumbnails.jpg?" in picture for picture, _ in shown)
    expect(strip.first).to_have_attribute("aria-pressed", "true")
    choose(page, "style", "Marbling")
    # What these become is shown at once.
    expect(page.locator("#live .canvas")).to_have_attribute("src", re.compile("matterhorn-marbling"))
    marbling = page.get_by_role("button", name="Use the style Marbling")
    expect(marbling).to_have_attribute("aria-pressed", "true")
    expect(strip.first).to_have_attribute("aria-pressed", "false")
    choose(page, "photo", "Rocket")
    expect(page.locator("#live .canvas")).to_have_attribute("src", re.compile("rocket-marbling"))
    for kind, name in (("The photo", "rocket"), ("The painting", "rocket-marbling")):
        expect(page.locator("#compare").get_by_alt_text(kind)).to_have_attribute("src", re.compile(name))
    expect(page.locator("#status")).to_contain_text("This is an example. Press Paint")
    page.get_by_role("button", name="Bold").click()
    expect(page.locator("#content_weight input[type=number]")).to_have_value("3")
    page.get_by_role("button", name="Balanced").click()
    expect(page.locator("#content_weight input[type=number]")).to_have_value("5")


def test_a_photo_of_ones_own_stands_on_the_canvas_and_not_an_example(page: Page, photo):
    upload(page, "photo", photo)
    expect(page.locator("#status")).to_have_text("Press Paint to watch it happen.")
    expect(page.locator("#live .canvas")).to_have_attribute("src", re.compile(r"shown\.jpg"))
    expect(page.locator("#photo-examples [aria-pressed=true]")).to_have_count(0)
    expect(page.locator("#compare")).to_contain_text("appears here")
    page.locator("#photo").get_by_label(re.compile("^Remove ")).first.click()
    expect(page.locator("#status")).to_have_text("Add a photo.")
    choose(page, "photo", "Rocket")


def test_a_surprise_changes_all_but_the_photo(page: Page):
    photo, style = (page.locator(f"#{name} img").first for name in ("photo", "style"))
    before = [each.get_attribute("src") for each in (photo, style)]
    page.locator("#surprise").click()
    expect(style).not_to_have_attribute("src", before[1])
    assert photo.get_attribute("src") == before[0]
    values = [float(page.locator(f"#{name} input[type=number]").input_value()) for name in MAIN[:2]]
    assert 3.5 <= values[0] <= 6.5
    assert 4 <= values[1] <= 7


def stroke(page: Page, role: str, *points: tuple[float, float]) -> None:
    """Draw on the photo with a role of the brush."""
    page.locator("#brush button", has_text=role).click()
    drag(page.locator("#brush .drawing"), *points)


def test_brush_second_style_and_start(page: Page, tmp_path):
    photo = tmp_path / "photo.png"
    picture(64, 48).save(photo)
    upload(page, "photo", photo)
    choose(page, "style", "Marbling")
    open_group(page, "Areas")
    page.get_by_role("button", name="Use the further style Ink wash").click()
    expect(page.locator("#style-2 img").first).to_have_attribute("src", re.compile("ink_wash"))
    expect(page.locator("#brush img")).to_have_attribute("src", re.compile(r"shown\.jpg"))
    # No brush is in the hand yet: who only passes over the photo draws nothing.
    assert page.locator("#brush .drawing").evaluate("e => getComputedStyle(e).touchAction") == "auto"
    drag(page.locator("#brush .drawing"), (0.5, 0.5), (0.2, 0.2))
    assert not page.evaluate(DRAWN)
    # A mask comes from a file, too.
    mask = Image.new("L", (64, 48), 0)
    mask.paste(255, (0, 0, 16, 48))
    mask.save(tmp_path / "mask.png")
    page.get_by_role("button", name="Keep the photo").focus()
    page.keyboard.press("Enter")
    page.locator("#brush .mask").set_input_files(tmp_path / "mask.png")
    page.wait_for_function(DRAWN)
    page.locator("#brush input[type=range]").fill("25")
    stroke(page, "Style 2", (0.9, 0.05), (0.9, 0.95))
    set_number(page, "edge", 0)
    # A start of one's own.
    open_group(page, "Quality")
    nameless = {"name": "start", "mimeType": "", "buffer": jpeg()}
    page.locator("#start input[type=file]").set_input_files(nameless)
    expect(page.get_by_label("A picture of your own")).to_be_checked()
    paint(page)
    painted = downloaded(page)
    assert json.loads(painted.info["Settings"])["initial"] == "picture"
    found, kept = np.asarray(painted, int), np.asarray(Image.open(photo), int)
    assert np.abs(found - kept)[:, :12].max() == 0
    assert np.abs(found - kept)[:, 24:].mean() > 5

    # A region of a style that is no longer there is said before anything is painted.
    before = finished(page)
    expect(page.locator("#brush button", has_text="Style 4")).to_be_hidden()
    expect(page.locator("#blend_2")).to_be_visible()
    page.locator("#style-2").get_by_label(re.compile("^Remove ")).first.click()
    expect(page.locator("#blend_2")).to_be_hidden()
    press(page, "Paint")
    expect(page.get_by_role("alert")).to_contain_text("Style 2 has a region but no picture")
    assert shown(page) == before
    assert downloaded(page).size == (64, 48)  # what was painted before is not lost
    # Erased, it is as if it had never been.
    stroke(page, "Erase", (0.9, 0.0), (0.9, 1.0))
    stroke(page, "Erase", (0.8, 0.0), (0.8, 1.0), (1.0, 1.0), (1.0, 0.0))
    paint(page)
    # Another photo begins with nothing drawn.
    choose(page, "photo", "Rocket")
    expect(page.locator("#brush img")).to_have_attribute("src", re.compile("rocket"))
    assert not page.evaluate(DRAWN)


def test_the_foot_changes_the_light_and_a_reload_forgets_nothing(page: Page, photo):
    expect(page.locator("#privacy")).to_contain_text("Only you see your photo. Deleted after 1 hour.")
    page.locator("#foot summary", has_text="Privacy").click()
    expect(page.locator("#foot")).to_contain_text("deleted 1 hour after they were last used")
    dark = page.evaluate("document.body.classList.contains('dark')")
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate("document.body.classList.contains('dark')") is not dark
    upload(page, "photo", photo)
    choose(page, "style", "Marbling")
    set_number(page, "style_weight", 7)
    mine = page.locator("#photo img").first.get_attribute("src")
    page.reload()
    expect(page.locator("#photo img").first).to_have_attribute("src", mine)
    expect(page.locator("#style img").first).to_have_attribute("src", re.compile("marbling"))
    expect(page.locator("#style_weight input[type=number]")).to_have_value("7")
    expect(page.locator("#live .canvas")).to_have_attribute("src", mine)
    page.wait_for_function("(dark) => document.body.classList.contains('dark') === dark", arg=not dark)
    expect(page.locator("footer", has_text=re.compile(r"\S"))).to_have_count(0)  # Gradio's own
    set_number(page, "iterations", 20)
    paint(page)


def test_a_painting_restores_its_settings(page: Page, tmp_path):
    how = Settings(style_weight=8.5, colors="luminance", coarse_to_fine=False, seed=77, size=4096)
    saved = tmp_path / "painting.png"
    saved.write_bytes(encode_png(np.zeros((20, 20, 3), np.uint8), describe_painting(how.public(), "VGG-19")))
    page.get_by_role("tab", name="Link and settings").click()
    page.locator("#settings-from input[type=file]").set_input_files(saved)
    expect(page.locator("#taken")).to_contain_text("Settings loaded")
    expect(page.locator("#style_weight input[type=number]")).to_have_value("8.5")
    open_group(page, "Expert")
    expect(page.locator("#seed input")).to_have_value("77")
    open_group(page, "Quality")
    expect(page.locator("#size input[type=number]")).to_have_value("256")  # the most that this host paints
    expect(page.locator("#coarse_to_fine input")).not_to_be_checked()


def test_every_two_examples_are_painted():
    pairs = [finished_file(photo, style) for photo in photos() for style in styles()]
    assert sorted(pairs) == all_finished()
    for photo in photos():
        with Image.open(photo) as before, Image.open(finished_file(photo, styles()[1])) as after:
            assert max(after.size) == 1024
            assert after.width / after.height == pytest.approx(before.width / before.height, abs=0.01)


@pytest.fixture(scope="module")
def phone(browser: Browser, url: str) -> Iterator[Page]:
    """The page on a telephone; it counts the frames and the moments that are asked for."""
    script = """
      window.frames = window.moments = 0;
      const next = requestAnimationFrame, later = setTimeout;
      window.requestAnimationFrame = (call) => { frames += 1; return next.call(window, call); };
      window.setTimeout = (call, wait) => { moments += wait === 250; return later(call, wait); };"""
    with visit(browser, url, script, viewport={"width": 390, "height": 844}, has_touch=True) as page:
        yield page


def test_phone_has_no_sideways_scrolling_and_the_canvas_under_the_button(phone: Page):
    tops = [phone.locator(name).bounding_box()["y"] for name in ("#pictures", "#paint", "#live", "#weights")]
    assert tops == sorted(tops)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    open_group(phone, "Areas")
    expect(phone.locator("#brush button").first).to_be_visible()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    for name in (
        "#paint",
        "#chips button",
        ".strip button",
        "#brush button",
        "#photo .source-selection button",
    ):
        box = phone.locator(name).first.bounding_box()
        assert min(box["width"], box["height"]) >= 44, name


def test_a_script_that_comes_into_the_page_does_not_run(phone: Page):
    phone.evaluate("document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')")
    phone.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), { text: 'ran = 2' }))"
    )
    phone.wait_for_function("[...document.images].at(-1).complete")
    phone.evaluate("new Promise(requestAnimationFrame)")
    assert phone.evaluate("window.ran") is None


def test_a_page_begins_sharper_where_that_is_soon_done(context, monkeypatch):
    page = context.new_page()
    with serve(replace(LIMITS, size=1024)) as url:
        for seconds, size in ((5.0, "768"), (40.0, "512"), (0.0, "512")):  # 0: nobody knows
            monkeypatch.setattr(estimate, "forecast", Mock(return_value=Forecast(768, 576, seconds)))
            page.goto(f"{url}?iterations=20")
            # They come together.
            expect(page.locator("#iterations input[type=number]")).to_have_value("20")
            open_group(page, "Quality")
            expect(page.locator("#size input[type=number]")).to_have_value(size)
    page.close()


def test_in_a_page_of_another_origin_as_a_frame_and_as_a_component(visitor, url):
    """Where nothing can be shared there is no button for it."""
    script = "delete Navigator.prototype.canShare; navigator.canShare = undefined"
    # The other origin is made up, and no neighbour of this machine for the browser.
    allowed = ["local-network-access"]
    page = visitor(SHORT, script, viewport={"width": 900, "height": 900}, permissions=allowed)
    choose(page, "photo", "Rocket")
    choose(page, "style", "Marbling")
    set_number(page, "style_weight", 8)
    make_link(page, re.compile(r"^http.*\?.*photo=rocket"))
    snippets = []
    for name, wanted in (
        ("snippet", "<iframe.*view=embed.*iterations=20"),
        ("component-snippet", "<gradio-app src="),
    ):
        field = page.locator(f"#{name} textarea, #{name} input")
        expect(field).to_have_value(re.compile(wanted))
        snippets.append(field.input_value())
    assert "http" not in snippets[1].replace(url, "")  # nobody else's script
    blog = dict(zip(BLOGS, snippets, strict=True))
    page.route(
        "**/a-blog/*", lambda route: route.fulfill(body=blog[route.request.url], content_type="text/html")
    )

    # The whole flow in a frame of 640 x 480, with nothing to scroll.
    page.goto(BLOGS[0])
    frame = page.frame_locator("iframe")
    for name, example in (("photo", "rocket"), ("style", "marbling")):
        expect(frame.locator(f"#{name} img").first).to_have_attribute("src", re.compile(example))
    expect(frame.locator("#style_weight input[type=number]")).to_have_value("8")
    expect(frame.locator("head script[src*=iframeResizer]")).to_have_count(1)  # not there without a frame
    expect(frame.locator("#weights")).to_be_hidden()
    expect(frame.locator("#iterations input[type=number]")).to_have_value("20")
    paint(frame)
    expect(frame.locator("#download")).to_be_in_viewport(ratio=1)
    inner = page.frames[1]
    for direction in ("Width", "Height"):
        whole = inner.evaluate(f"document.documentElement.scroll{direction}")
        assert whole <= {"Width": 640, "Height": 480}[direction], direction
    assert "view=" not in frame.locator("#full-page").get_attribute("href")
    expect(frame.locator("#share")).to_be_hidden()
    # A smaller frame has all of it in sight, too.
    page.locator("iframe").evaluate("e => { e.width = 320; e.height = 400 }")
    for name in ("#live", "#status .line", "#download", "#paint", "#photo", "#style"):
        expect(frame.locator(name)).to_be_in_viewport(ratio=0.99)
    assert frame.locator("#live").bounding_box()["height"] >= 160

    page.goto(BLOGS[1])
    expect(page.locator("#photo img").first).to_be_visible()
    expect(page.locator("#weights")).to_be_hidden()
    assert page.locator("#live").bounding_box()["height"] < 400
    begin(page)
    assert page.locator("#full-page").get_attribute("href").startswith(url)


def test_a_page_at_which_nothing_happens_rests(phone: Page):
    def frames_in_half_a_second() -> int:
        before = phone.evaluate("frames")
        phone.wait_for_timeout(500)
        return phone.evaluate("frames") - before

    eventually(lambda: frames_in_half_a_second() <= 1)
    # Gradio's loading sign still counts: if this fails, delete nst/gradio_faults/timers.py.
    phone.wait_for_function("before => moments > before + 1", arg=phone.evaluate("moments"))
