"""Painting in a real browser: a run's beginning, its steering and its end."""

from __future__ import annotations

import json
import re

import pytest
from gradio import Blocks
from playwright.sync_api import Page, Request, Route, expect
from visits import (
    PRESSES_AT_THE_END,
    begin,
    downloaded,
    finished,
    paint,
    press_paint,
    press_stop,
    set_number,
    shown,
    stop,
    upload,
)


def asked(request: Request, demo: Blocks) -> str:
    """Return which of the page's functions a request asks for, "" if none."""
    found = re.search(r'"fn_index":(\d+)', request.post_data or "") if request.method == "POST" else None
    return demo.fns[int(found[1])].name if found else ""


def held_back(page: Page, demo: Blocks, name: str) -> list[Route]:
    """Keep what asks for this function from the server; return where it will be."""
    held: list[Route] = []
    page.route(
        re.compile("/gradio_api/(run|queue)/"),
        lambda route: held.append(route) if asked(route.request, demo) == name else route.continue_(),
    )
    return held


def test_a_start_that_does_not_get_through_is_said_and_the_button_comes_back(visitor):
    page = visitor("?size=64&iterations=20")
    away = "The server cannot be reached; check your connection and press Paint again."
    full = "That is more than one visitor may ask for at a time; wait a moment and try again."
    for answer, message in (
        (lambda route: route.abort(), away),
        (lambda route: route.fulfill(status=429, json={"error": full}), full),
    ):
        page.route("**/queue/join*", answer)
        press_paint(page)
        expect(page.locator("#status")).to_contain_text(message)
        expect(page.locator("#paint")).to_have_text(re.compile("^Paint$"))
        page.unroute("**/queue/join*")
    paint(page)


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
    message = page.locator("#status").get_by_role("alert")
    expect(message).to_contain_text("Add a photo first.")
    page.locator("#photo input[type=file]").first.set_input_files(broken)
    wrong = page.locator("#photo").get_by_role("alert")
    expect(wrong).to_contain_text(re.compile("This file is (damaged|not a picture)"))
    press_paint(page)
    expect(page.locator("#paint")).to_have_text("Paint")
    expect(message).to_contain_text("Add a photo first.")
    assert shown(page) == before
    expect(page.locator("#paint")).to_be_enabled()


@pytest.mark.link("size=128&iterations=24")
def test_upload_watch_and_download(page, photo, painting, unhurried):
    upload(page, "photo", photo)
    upload(page, "style", painting)
    expect(page.locator("#forecast")).to_contain_text("128 × 85 px")  # noqa: RUF001
    page.evaluate(
        """() => {
          window.frames_seen = 0;
          new MutationObserver(() => { window.frames_seen += 1; }).observe(
            document.querySelector('#live .canvas'), { attributes: true, attributeFilter: ['src'] }); }"""
    )
    begin(page)
    title = re.compile(r"step \d+ of 24 · \d+ × \d+ px · .* steps per second")  # noqa: RUF001
    expect(page.locator("#status .line")).to_have_attribute("title", title)
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile(r"\d+"))
    expect(page).to_have_title(re.compile(r"^\d+ % · Painted live$"))
    expect(page.locator("#paint")).to_have_text("Stop")
    expect(page.locator("#actions .action")).to_have_count(0)
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    assert page.evaluate("frames_seen") >= 3
    page.wait_for_function("document.querySelector('#live .canvas')?.naturalWidth === 128")
    image = downloaded(page)
    assert (image.format, image.size) == ("PNG", (128, 85))
    expect(page.locator("#paint")).to_have_text("Paint")
    expect(page).to_have_title("Painted live")
    expect(page.locator("#compare img")).to_have_count(2)
    set_number(page, "iterations", 100)
    expect(page.locator("#forecast")).to_contain_text(re.compile(r"px · about \d+ (second|minute)s?"))


@pytest.mark.link("size=64&iterations=1000")
def test_sliders_steer_the_running_painting_and_stop_keeps_it(page, unhurried):
    begin(page)
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
    settings = json.loads(kept.info["Settings"])
    assert settings["style_weight"] == 9.5
    assert settings["steered"] is True


@pytest.mark.link("size=64&iterations=30")
def test_a_stop_that_comes_after_the_end_leaves_a_page_that_paints_again(page, demo, unhurried):
    held = held_back(page, demo, "_stop")
    begin(page)
    press_stop(page)
    expect(page.locator("#paint")).to_have_text("Stopping")
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    expect(page.locator("#paint")).to_have_text("Paint")
    with page.expect_response(lambda answer: answer.request == held[0].request):
        held[0].continue_()
    page.wait_for_timeout(600)
    expect(page.locator("#paint")).to_have_text("Paint")
    begin(page)
    expect(page.locator("#paint")).to_have_text("Stop")
    page.unroute_all()
    stop(page)


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
def test_a_press_at_the_very_moment_of_the_end_paints_again(page):
    page.evaluate(PRESSES_AT_THE_END)
    press_paint(page)
    expect(page.locator("#paintings .open")).to_have_count(2)
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    expect(page.locator("#paint")).to_have_text("Paint")
    assert page.evaluate("window.said") == "Paint"  # status and button say the same


@pytest.mark.link("size=64&iterations=20")
def test_who_waits_may_stop_or_stay_until_a_closed_tab_makes_room(page, visitor, unhurried):
    other = visitor("?size=64&iterations=1000")
    begin(other)
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
    other.context.close()
    expect(page.locator("#status")).to_contain_text("Your painting is ready")


@pytest.mark.link("size=64&iterations=1000")
def test_the_canvas_is_in_sight_while_a_slider_far_below_moves(page, unhurried):
    page.set_viewport_size({"width": 1366, "height": 650})
    for group in ("Look", "Quality"):
        page.get_by_role("button", name=group).click()
    begin(page)
    page.locator("#smoothness input[type=range]").scroll_into_view_if_needed()
    page.mouse.wheel(0, 400)
    expect(page.locator("#live")).to_be_in_viewport(ratio=0.9)
    expect(page.locator("#status")).to_contain_text("Move a slider while it paints")
    set_number(page, "smoothness", 9)
    stop(page)
