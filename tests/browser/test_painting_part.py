"""Painting in a real browser: runs, their frames, what can be done with them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from gradio import Blocks
from gradio.utils import get_upload_folder
from PIL import Image
from playwright.sync_api import Page, Request, Route, expect
from visits import (
    WAIT,
    downloaded,
    finished,
    make_small,
    open_page,
    press_paint,
    press_stop,
    set_number,
    shown,
    upload,
)

from nst.page.parts import larger as larger_sizes
from nst.runs.storage import MOST_FRAMES


def asked(request: Request, demo: Blocks) -> str:
    """Return which of the page's functions a request asks for, "" if none."""
    told = re.search(r'"fn_index":(\d+)', request.post_data or "") if request.method == "POST" else None
    return demo.fns[int(told[1])].name if told else ""


def held_back(page: Page, demo: Blocks, name: str) -> list[Route]:
    """Keep what asks for this function from the server; return where it will be."""
    held: list[Route] = []
    page.route(
        re.compile("/gradio_api/(run|queue)/"),
        lambda route: held.append(route) if asked(route.request, demo) == name else route.continue_(),
    )
    return held


@pytest.mark.link("size=64&iterations=30")
def test_one_click_paints_the_presets(page):
    example = shown(page)
    assert example  # the page is alive before anybody clicks
    press_paint(page)
    page.wait_for_function("before => document.querySelector('#live .canvas').src !== before", arg=example)
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    expect(page.locator("#status .line")).to_have_attribute(
        "title", re.compile(r"^30 steps · .*Fast encoder on")
    )
    name = page.locator("#download").get_attribute("download")
    assert re.fullmatch(r"matterhorn-starry_night-20\d\d-\d\d-\d\d\.png", name)


@pytest.mark.parametrize("fault", ["offline", "refused"])
def test_a_start_that_does_not_get_through_is_said_and_the_button_comes_back(url, browser, fault):
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(WAIT)
    open_page(page, f"{url}?size=64&iterations=20")
    if fault == "offline":
        page.route("**/queue/join*", lambda route: route.abort())
        said = "The server cannot be reached; check your connection and press Paint again."
    else:
        said = "That is more than one visitor may ask for at a time; wait a moment and try again."
        page.route("**/queue/join*", lambda route: route.fulfill(status=429, json={"error": said}))
    press_paint(page)
    expect(page.locator("#status")).to_contain_text(said)
    expect(page.locator("#paint")).to_have_text(re.compile("^Paint$"))
    page.unroute("**/queue/join*")
    press_paint(page)
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    context.close()


def test_what_cannot_be_done_is_a_sentence_and_costs_no_result(page, tmp_path):
    page.get_by_role("tab", name="Expert").click()
    expect(page.locator("#explained")).to_contain_text("Gram matrix")
    page.locator("#look").click()
    expect(page.locator("#inside")).to_contain_text("Paint something first.")
    page.get_by_role("tab", name="Time-lapse").click()
    expect(page.locator("#filmed")).to_contain_text("The time-lapse appears here")
    expect(page.locator("#actions .action")).to_have_count(0)
    before = shown(page)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\nnonsense")
    page.locator("#photo").get_by_label(re.compile("^Remove ")).first.click()
    press_paint(page)
    said = page.locator("#status").get_by_role("alert")
    expect(said).to_contain_text("Add a photo first.")
    page.locator("#photo input[type=file]").first.set_input_files(broken)
    wrong = page.locator("#photo").get_by_role("alert")
    expect(wrong).to_contain_text(re.compile("This file is (damaged|not a picture)"))
    press_paint(page)
    expect(page.locator("#paint")).to_have_text("Paint")
    expect(said).to_contain_text("Add a photo first.")
    assert shown(page) == before
    expect(page.locator("#paint")).to_be_enabled()


def test_upload_watch_and_download(page, photo, painting, unhurried):
    expect(page.locator("#forecast")).to_contain_text("256 × 171 px")  # noqa: RUF001
    upload(page, "photo", photo)
    expect(page.locator("#forecast")).to_contain_text("256 × 171 px")  # noqa: RUF001
    upload(page, "style", painting)
    make_small(page)
    expect(page.locator("#forecast")).to_contain_text("128 × 85 px")  # noqa: RUF001
    set_number(page, "iterations", 24)
    press_paint(page)
    expect(page.locator("#status")).to_contain_text(re.compile(r"Painting · \d+ % · \d+ s left"))
    expect(page.locator("#status .line")).to_have_attribute(
        "title",
        re.compile(r"step \d+ of 24 · \d+ × \d+ px · .* steps per second"),  # noqa: RUF001
    )
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile(r"\d+"))
    expect(page).to_have_title(re.compile(r"^\d+ % · Painted live$"))
    expect(page.locator("#paint")).to_have_text("Stop")
    expect(page.locator("#actions .action")).to_have_count(0)
    sources = set()
    while "Your painting is ready" not in page.locator("#status").inner_text():
        sources.add(shown(page))
        page.wait_for_timeout(40)
        assert len(sources) < 500
    assert len(sources) >= 3
    page.wait_for_function("document.querySelector('#live .canvas')?.naturalWidth === 128")
    image = downloaded(page)
    assert image.format == "PNG"
    assert image.size == (128, 85)
    expect(page.locator("#paint")).to_have_text("Paint")
    expect(page).to_have_title("Painted live")
    expect(page.locator("#compare img")).to_have_count(2)
    page.get_by_role("tab", name="Expert").click()
    expect(page.locator("#loss svg, #loss canvas").first).to_be_visible()
    set_number(page, "iterations", 100)
    expect(page.locator("#forecast")).to_contain_text(re.compile(r"px · about \d+ (second|minute)s?"))


@pytest.mark.link("size=64&iterations=1000")
def test_sliders_steer_the_running_painting_and_stop_keeps_it(page, unhurried):
    press_paint(page)
    expect(page.locator("#status")).to_contain_text(re.compile("Painting.* left"))
    set_number(page, "style_weight", 9.5)
    line = page.locator("#status .line")
    at = int(re.search(r"step (\d+) of", line.get_attribute("title"))[1])
    page.wait_for_timeout(1500)
    press_stop(page)
    expect(page.locator("#status")).to_contain_text(re.compile(r"Stopped at \d\d? %"))
    assert int(re.search(r"(\d+) steps", line.get_attribute("title"))[1]) > at
    expect(page.locator("#paint")).to_have_text("Paint")
    finished(page)
    kept = downloaded(page)
    assert kept.getbbox() is not None
    told = json.loads(kept.info["Settings"])
    assert told["style_weight"] == 9.5
    assert told["steered"] is True


@pytest.mark.link("size=64&iterations=30")
def test_a_stop_that_comes_after_the_end_leaves_a_page_that_paints_again(page, demo, unhurried):
    held = held_back(page, demo, "_stop")
    press_paint(page)
    expect(page.locator("#status")).to_contain_text(re.compile("Painting.* left"))
    press_stop(page)
    expect(page.locator("#paint")).to_have_text("Stopping")
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    expect(page.locator("#paint")).to_have_text("Paint")
    with page.expect_response(lambda answer: answer.request == held[0].request):
        held[0].continue_()
    page.wait_for_timeout(600)
    expect(page.locator("#paint")).to_have_text("Paint")
    press_paint(page)
    expect(page.locator("#status")).to_contain_text(re.compile("Painting.* left"))
    expect(page.locator("#paint")).to_have_text("Stop")
    page.unroute_all()
    press_stop(page)
    expect(page.locator("#status")).to_contain_text(re.compile(r"Stopped at \d\d? %"))


@pytest.mark.link("size=64&iterations=1000")
def test_a_stop_that_is_there_before_the_run_ends_it(page, demo, unhurried):
    held = held_back(page, demo, "_begin")
    press_paint(page)
    with page.expect_response(lambda answer: asked(answer.request, demo) == "_stop"):
        press_stop(page)
    expect(page.locator("#paint")).to_have_text("Stopping")
    held[0].continue_()
    expect(page.locator("#paint")).to_have_text("Paint")
    expect(page.locator("#status")).to_contain_text("Stopped")


@pytest.mark.link("size=64&iterations=20")
def test_who_waits_may_stop_or_stay_until_a_closed_tab_makes_room(page, browser, url, unhurried):
    context = browser.new_context()
    other = context.new_page()
    open_page(other, url + "?size=64&iterations=1000")
    press_paint(other)
    expect(other.locator("#status")).to_contain_text(re.compile("Painting.* left"))
    before = shown(page)
    press_paint(page)
    expect(page.locator("#status")).to_contain_text("In line")
    press_stop(page)
    expect(page.locator("#status")).to_contain_text("Stopped before it began")
    assert shown(page) == before
    press_paint(page)
    expect(page.locator("#status")).to_contain_text("In line")
    page.wait_for_timeout(700)
    assert "In line" in page.locator("#status").inner_text()
    context.close()
    expect(page.locator("#status")).to_contain_text("Your painting is ready")


@pytest.mark.link("size=128&iterations=40")
def test_going_back_to_a_frame_and_on_from_there(page, photo):
    expect(page.locator("#continue")).to_have_count(0)
    press_paint(page)
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    whole = finished(page)
    strip = page.locator("#history button")
    expect(strip.nth(2)).to_be_visible()
    assert strip.count() <= 12
    strip.first.click()
    expect(page.locator("#status")).to_contain_text(re.compile(r"Step 1. Press Continue to go on from here"))
    expect(page.locator("#live .canvas")).not_to_have_attribute("src", whole)
    # What is saved is what is shown.
    expect(strip.first).to_have_attribute("aria-pressed", "true")
    assert downloaded(page).format == "JPEG"
    # On from the finished picture: only the last size is painted again.
    strip.last.click()
    expect(page.locator("#live .canvas")).to_have_attribute("src", whole)
    set_number(page, "style_weight", 9)
    expect(page.locator("#download")).to_have_attribute("download", re.compile(r"starry_night-20.*\.png$"))
    page.locator("#continue").click()
    expect(page.locator("#status .line")).to_have_attribute("title", re.compile("^20 steps"))
    assert json.loads(downloaded(page).info["Settings"])["style_weight"] == 9
    # A painting of another photo is no way to go on with this one.
    upload(page, "photo", photo)
    expect(page.locator("#status")).to_contain_text("You changed the pictures. Press Paint to use them.")
    page.locator("#continue").click()
    expect(page.get_by_role("alert")).to_contain_text("Continue needs the photo it began with.")
    expect(page.locator("#paint")).to_have_text("Paint")
    expect(page.locator("#continue")).to_be_visible()
    # What two examples become is shown also after a painting, which stays in the row.
    page.get_by_role("button", name="Use the photo Rocket").click()
    expect(page.locator("#live .canvas")).to_have_attribute("src", re.compile("rocket-starry_night"))
    expect(page.locator("#status")).to_contain_text("This is an example.")
    expect(page.locator("#download, #history button")).to_have_count(0)
    expect(page.locator("#paintings .delete").first).to_be_visible()


@pytest.mark.link("size=64&iterations=30")
def test_a_painting_its_frames_its_inside_and_its_film(page):
    before = set(Path(get_upload_folder()).glob("run-*"))
    press_paint(page)
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    (folder,) = set(Path(get_upload_folder()).glob("run-*")) - before
    assert len(list(folder.iterdir())) <= MOST_FRAMES + 2  # they do not pile up
    page.get_by_role("tab", name="Expert").click()
    page.locator("#look").click()
    expect(page.get_by_alt_text("Gram matrix of the painting at relu4_1")).to_be_visible()
    expect(page.locator("#inside .residual")).to_have_count(5)
    expect(page.get_by_alt_text("Feature map 1 of relu2_1")).to_be_visible()
    page.get_by_role("tab", name="Time-lapse").click()
    expect(page.locator("#film video")).to_have_attribute("src", re.compile(r"\.mp4$"))
    page.wait_for_function("document.querySelector('#film video').readyState > 0")
    with page.expect_download() as caught:
        page.locator("#webp").click()
    assert Image.open(caught.value.path()).format == "WEBP"


@pytest.mark.link("size=64&iterations=20")
def test_a_finished_painting_goes_on_larger(page, monkeypatch):
    monkeypatch.setattr(larger_sizes, "_SIZES", (64, 128, 768))
    press_paint(page)
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    # A frame on the way goes on with Continue; the finished picture, chosen again, larger too.
    strip = page.locator("#history button")
    strip.first.click()
    expect(page.locator("#download")).to_have_attribute("download", re.compile(r"\.jpg$"))
    expect(page.locator("#larger")).to_have_count(0)
    strip.last.click()
    page.locator("#larger summary").click()
    offered = page.locator("#larger button")
    expect(offered).to_have_text([re.compile(r"^128 px · 1 cm in print")])  # 768 are too many for this host
    offered.click()
    expect(page.locator("#paint")).to_have_text("Stop")
    # Of 64 and 128 px both are painted, as the canvas has 64.
    expect(page.locator("#status .line")).to_have_attribute("title", re.compile("^20 steps .* 128 × 85"))  # noqa: RUF001
    finished(page)
    larger = downloaded(page)
    assert larger.size == (128, 85)
    assert json.loads(larger.info["Settings"])["size"] == 128
    expect(page.locator("#continue")).to_be_visible()
    expect(page.locator("#larger")).to_have_count(0)  # there is nothing larger here
