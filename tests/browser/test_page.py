"""The page in a real browser: pictures, controls, links."""

import json
import re
from dataclasses import replace
from functools import partial
from unittest.mock import Mock

import numpy as np
from pictures import picture
from PIL import Image
from playwright.sync_api import Page, Route, expect
from served import LIMITS, serve
from visits import choose, downloaded, drag, draw, drawn, drop, make_link, open_group, paint, set_number
from waiting import eventually

from nst import Settings
from nst.image.metadata import describe_painting
from nst.image.picture_files import encode_png
from nst.optimization import estimate
from nst.optimization.estimate import Forecast
from nst.page.parts.presets import MAIN, PRESETS

FRAME, COMPONENT = "http://localhost:5000/frame", "http://localhost:5000/component"  # nobody need listen


def test_examples_presets_and_a_surprise_take_one_click(page: Page):
    chips = page.locator("#chips button")
    assert [chip.inner_text().strip() for chip in chips.all()] == list(PRESETS)
    # Each example shows its own part of the one picture that holds all of them; those in use are marked.
    strip = page.locator("#style-examples button")
    part = "e => getComputedStyle(e).backgroundPositionX"
    assert len({example.locator("i").evaluate(part) for example in strip.all()}) == strip.count()
    expect(strip.first).to_have_attribute("aria-pressed", "true")
    choose(page, "style", "Marbling")
    # What these become is shown at once.
    expect(page.locator("#live .canvas")).to_have_attribute("src", re.compile("matterhorn-marbling"))
    expect(strip.first).to_have_attribute("aria-pressed", "false")
    choose(page, "photo", "Rocket")
    expect(page.locator("#live .canvas")).to_have_attribute("src", re.compile("rocket-marbling"))
    after = page.locator("#compare").get_by_alt_text("The painting")
    expect(after).to_have_attribute("src", re.compile("rocket-marbling"))
    page.get_by_role("button", name="Bold").click()
    expect(page.locator("#content_weight input[type=number]")).to_have_value("3")
    # A surprise is another style, and other weights.
    style = page.locator("#style img").first.get_attribute("src")
    page.locator("#surprise").click()
    expect(page.locator("#style img").first).not_to_have_attribute("src", style)
    expect(page.locator("#photo img").first).to_have_attribute("src", re.compile("rocket"))
    weights = [float(page.locator(f"#{name} input[type=number]").input_value()) for name in MAIN[:2]]
    assert 3.5 <= weights[0] <= 6.5
    assert 4 <= weights[1] <= 7


def test_brush_second_style_and_start(page: Page, tmp_path):
    photo = tmp_path / "photo.png"
    picture(64, 48).save(photo)
    # From here on Gradio takes the photo off with each event and puts it back: what is drawn on it stays.
    page.get_by_role("button", name="Camera: photo").click()
    expect(page.locator("#photo").get_by_role("alert")).to_contain_text("camera")
    drop(page, "#photo", photo.read_bytes(), "photo.png")
    set_number(page, "iterations", 20)
    choose(page, "style", "Marbling")
    open_group(page, "Areas")
    page.get_by_role("button", name="Use the further style Ink wash").click()
    expect(page.locator("#style-2 img").first).to_have_attribute("src", re.compile("ink_wash"))
    expect(page.locator("#brush img")).to_have_attribute("src", re.compile(r"shown\.jpg"))
    # No brush is in the hand yet: who only passes over the photo draws nothing.
    drag(page.locator("#brush .drawing"), (0.5, 0.5), (0.2, 0.2))
    assert not drawn(page, "#brush")
    # A mask comes from a file, too.
    mask = Image.new("L", (64, 48), 0)
    mask.paste(255, (0, 0, 16, 48))
    mask.save(tmp_path / "mask.png")
    page.get_by_role("button", name="Keep the photo").focus()
    page.keyboard.press("Enter")
    page.locator("#brush .mask").set_input_files(tmp_path / "mask.png")
    eventually(lambda: drawn(page, "#brush"))
    page.locator("#brush input[type=range]").fill("25")
    draw(page, "#brush", "Style 2", (0.9, 0.05), (0.9, 0.95))
    set_number(page, "edge", 0)
    # A start of one's own.
    open_group(page, "Quality")
    page.locator("#start input[type=file]").set_input_files(photo)
    expect(page.get_by_label("A picture of your own")).to_be_checked()
    paint(page)
    painted = downloaded(page)
    assert json.loads(painted.info["Settings"])["initial"] == "picture"
    found, kept = np.asarray(painted, int), np.asarray(Image.open(photo), int)
    assert np.abs(found - kept)[:, :12].max() == 0
    assert np.abs(found - kept)[:, 24:].mean() > 5

    # A region of a style that is no longer there is said before anything is painted.
    expect(page.locator("#blend_2")).to_be_visible()
    page.locator("#style-2").get_by_label(re.compile("^Remove ")).first.click()
    expect(page.locator("#blend_2")).to_be_hidden()
    page.locator("#paint").click()
    expect(page.get_by_role("alert")).to_contain_text("Style 2 has a region but no picture")
    assert downloaded(page).tobytes() == painted.tobytes()  # what was painted before is not lost
    # Erased, it is as if it had never been.
    draw(page, "#brush", "Erase", (0.9, 0.0), (0.9, 1.0), (0.8, 1.0), (0.8, 0.0), (1.0, 0.0), (1.0, 1.0))
    paint(page)
    # Another photo begins with nothing drawn.
    choose(page, "photo", "Rocket")
    expect(page.locator("#brush img")).to_have_attribute("src", re.compile("rocket"))
    assert not drawn(page, "#brush")


def test_a_photo_of_ones_own_is_shown_and_a_reload_forgets_nothing(page: Page, photo):
    expect(page.locator("#privacy")).to_contain_text("Only you see your photo. Deleted after 1 hour.")
    expect(page.locator("#foot")).to_contain_text("deleted 1 hour after they were last used")
    dark = page.evaluate("document.body.classList.contains('dark')")
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate("document.body.classList.contains('dark')") is not dark
    drop(page, "#photo img", photo.read_bytes())
    expect(page.locator("#status")).to_have_text("Press Paint to watch it happen.")
    expect(page.locator("#photo-examples [aria-pressed=true]")).to_have_count(0)
    expect(page.locator("#compare")).to_contain_text("appears here")
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


def test_a_painting_restores_its_settings(page: Page, tmp_path):
    how = Settings(style_weight=8.5, coarse_to_fine=False, size=4096)
    saved = tmp_path / "painting.png"
    saved.write_bytes(encode_png(np.zeros((20, 20, 3), np.uint8), describe_painting(how.public(), "VGG-19")))
    page.get_by_role("tab", name="Link and settings").click()
    page.locator("#settings-from input[type=file]").set_input_files(saved)
    expect(page.locator("#taken")).to_contain_text("Settings loaded")
    expect(page.locator("#style_weight input[type=number]")).to_have_value("8.5")
    open_group(page, "Quality")
    expect(page.locator("#size input[type=number]")).to_have_value("256")  # the most that this host paints
    expect(page.locator("#coarse_to_fine input")).not_to_be_checked()


def test_a_page_at_which_nothing_happens_rests(visitor):
    page = visitor(
        script="""
        window.frames = window.moments = 0;
        const next = requestAnimationFrame, later = setTimeout;
        window.requestAnimationFrame = (call) => { frames += 1; return next.call(window, call); };
        window.setTimeout = (call, wait) => { moments += wait === 250; return later(call, wait); };"""
    )

    def frames_in_half_a_second() -> int:
        before = page.evaluate("frames")
        page.wait_for_timeout(500)
        return page.evaluate("frames") - before

    eventually(lambda: frames_in_half_a_second() <= 1)
    # Gradio's loading sign still counts: if this fails, delete nst/gradio_faults/timers.py.
    page.wait_for_function("before => moments > before + 1", arg=page.evaluate("moments"))


def test_a_page_begins_sharper_where_that_is_soon_done(visitor, monkeypatch):
    with serve(replace(LIMITS, size=1024)) as url:
        for seconds, size in ((5.0, "768"), (40.0, "512"), (0.0, "512")):  # 0: nobody knows
            monkeypatch.setattr(estimate, "forecast", Mock(return_value=Forecast(768, 576, seconds)))
            page = visitor(f"{url}?iterations=20")  # which comes together with the size
            open_group(page, "Quality")
            expect(page.locator("#size input[type=number]")).to_have_value(size)
            page.close()


def test_in_a_page_of_another_origin_as_a_frame_and_as_a_component(visitor, url):
    script = "delete Navigator.prototype.canShare; navigator.canShare = undefined"
    # The other origin is made up, and no neighbour of this machine for the browser.
    allowed = ["local-network-access"]
    page = visitor(
        "?size=64&iterations=20", script, viewport={"width": 900, "height": 900}, permissions=allowed
    )
    choose(page, "photo", "Rocket")
    make_link(page, re.compile(r"^http.*\?.*photo=rocket"))
    for address, name, wanted in (
        (FRAME, "snippet", "<iframe.*view=embed.*iterations=20"),
        (COMPONENT, "component-snippet", "<gradio-app src="),
    ):
        field = page.locator(f"#{name} textarea, #{name} input")
        expect(field).to_have_value(re.compile(wanted))
        snippet = field.input_value()
        assert "http" not in snippet.replace(url, "")  # nobody else's script
        page.context.route(address, partial(Route.fulfill, body=snippet, content_type="text/html"))

    # The whole flow in a frame of 640 x 480, with nothing to scroll.
    page.goto(FRAME)
    frame = page.frame_locator("iframe")
    expect(frame.locator("#photo img").first).to_have_attribute("src", re.compile("rocket"))
    expect(frame.locator("head script[src*=iframeResizer]")).to_have_count(1)  # not there without a frame
    expect(frame.locator("#weights")).to_be_hidden()
    paint(frame)
    expect(frame.locator("#download")).to_be_in_viewport(ratio=1)
    root = "e => [e.scrollWidth <= innerWidth, e.scrollHeight <= innerHeight]"
    assert frame.locator("html").evaluate(root) == [True, True]
    assert "view=" not in frame.locator("#full-page").get_attribute("href")
    expect(frame.locator("#share")).to_be_hidden()  # nothing can be shared here
    # A smaller frame has all of it in sight, too.
    page.locator("iframe").evaluate("e => { e.width = 320; e.height = 400 }")
    for name in ("#live", "#status .line", "#download", "#paint", "#photo", "#style"):
        expect(frame.locator(name)).to_be_in_viewport(ratio=0.99)
    assert frame.locator("#live").bounding_box()["height"] >= 160

    page.goto(COMPONENT)
    expect(page.locator("#photo img").first).to_be_visible()
    expect(page.locator("#weights")).to_be_hidden()
    assert page.locator("#live").bounding_box()["height"] < 400
    paint(page)
    assert page.locator("#full-page").get_attribute("href").startswith(url)
