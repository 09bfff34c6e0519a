"""Painting in a real browser: a run's beginning, its steering and its end."""

import json
import re
from functools import partial

from gradio import Blocks
from playwright.sync_api import Page, Request, Route, expect
from served import unhurried_host
from visits import SHORT, begin, downloaded, finished, open_group, press, set_number

# How many frames have come to the canvas, and how many of them by passing over from the one before.
COUNTED = """() => {
  const canvas = document.querySelector('#live .canvas'), animate = canvas.animate;
  canvas.animate = function (...options) { window.passed += 1; return animate.apply(this, options); };
  new MutationObserver(() => { window.frames_seen += 1; })
    .observe(canvas, { attributes: true, attributeFilter: ['src'] }); }"""


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


def test_what_cannot_be_done_is_a_sentence_and_costs_no_result(page: Page):
    page.get_by_role("tab", name="Expert").click()
    expect(page.locator("#explained")).to_contain_text("Gram matrix")
    page.locator("#look").click()
    expect(page.locator("#inside")).to_contain_text("Paint something first.")
    page.get_by_role("tab", name="Time-lapse").click()
    expect(page.locator("#film")).to_contain_text("The time-lapse appears here")
    before = page.locator("#live .canvas").get_attribute("src")
    page.locator("#photo").get_by_label(re.compile("^Remove ")).first.click()
    expect(page.locator("#status")).to_have_text("Add a photo.")
    press(page, "Paint")
    expect(page.locator("#status").get_by_role("alert")).to_contain_text("Add a photo first.")
    expect(page.locator("#paint")).to_have_text("Paint")
    expect(page.locator("#live .canvas")).to_have_attribute("src", before)


@unhurried_host()
def test_a_run_is_watched_steered_and_stopped(page: Page, demo, photo):
    page.locator("#photo input[type=file]").first.set_input_files(photo)
    expect(page.locator("#forecast")).to_contain_text("64 × 43 px")  # noqa: RUF001
    set_number(page, "iterations", 300)
    open_group(page, "Look")
    page.evaluate(COUNTED)
    place = page.locator("#paint").bounding_box()
    begin(page)
    line = page.locator("#status .line")
    title = re.compile(r"step \d+ of 300 · \d+ × \d+ px · .* steps per second")  # noqa: RUF001
    expect(line).to_have_attribute("title", title)
    expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", re.compile(r"\d+"))
    expect(page).to_have_title(re.compile(r"^\d+ % · Painted live$"))
    assert page.locator("#paint").bounding_box() == place
    expect(page.locator("#actions .action")).to_have_count(0)
    # Frames pass into one another, unless motion is not wanted.
    for motion, passes in (("reduce", False), ("no-preference", True)):
        page.emulate_media(reduced_motion=motion)
        page.evaluate("window.passed = window.frames_seen = 0")
        page.wait_for_function("window.frames_seen >= 3")
        assert (page.evaluate("passed") > 0) is passes
    # The canvas is in sight while a slider far below moves.
    page.locator("#smoothness input[type=range]").scroll_into_view_if_needed()
    page.mouse.wheel(0, 400)
    expect(page.locator("#live")).to_be_in_viewport(ratio=0.9)
    expect(page.locator("#status")).to_contain_text("Move a slider while it paints")
    with page.expect_response(lambda answer: asked(answer.request, demo) == "_steer"):
        set_number(page, "smoothness", 9)
    at = line.get_attribute("title")
    expect(line).not_to_have_attribute("title", at)
    press(page, "Stop")
    expect(page.locator("#status")).to_contain_text(re.compile(r"Stopped at \d\d? %"))
    expect(line).to_have_attribute("title", re.compile(r"^\d+ steps"))
    finished(page)
    kept = downloaded(page)
    assert (kept.format, kept.size) == ("PNG", (64, 43))
    settings = json.loads(kept.info["Settings"])
    assert (settings["smoothness"], settings["steered"]) == (9, True)
    expect(page).to_have_title("Painted live")
    set_number(page, "iterations", 60)
    expect(page.locator("#forecast")).to_contain_text(re.compile(r"px · about \d+ (second|minute)s?"))


def test_a_stop_that_comes_after_the_end_or_before_the_run(page: Page, demo):
    held = held_back(page, demo, "_stop")
    with unhurried_host():
        begin(page)
        press(page, "Stop")
        expect(page.locator("#paint")).to_have_text("Stopping")
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    expect(page.locator("#paint")).to_have_text("Paint")
    with page.expect_response(lambda answer: answer.request == held[0].request):
        held[0].continue_()
    page.wait_for_timeout(600)
    expect(page.locator("#paint")).to_have_text("Paint")
    page.unroute_all()
    # The next run begins, and ends by a stop that is there before it.
    held = held_back(page, demo, "_show")
    press(page, "Paint")
    with page.expect_response(lambda answer: asked(answer.request, demo) == "_stop"):
        press(page, "Stop")
    expect(page.locator("#paint")).to_have_text("Stopping")
    held[0].continue_()
    expect(page.locator("#paint")).to_have_text("Paint")
    expect(page.locator("#status")).to_contain_text("Stopped")


def test_a_start_that_is_refused_is_said_and_one_at_the_very_moment_of_the_end_is_a_start(visitor):
    page = visitor(SHORT)
    away = "The server cannot be reached; check your connection and press Paint again."
    full = "That is more than one visitor may ask for at a time; wait a moment and try again."
    refused = partial(Route.fulfill, status=429, json={"error": full})
    for answer, message in ((lambda route: route.abort(), away), (refused, full)):
        page.route("**/queue/join*", answer)
        press(page, "Paint")
        expect(page.locator("#status")).to_contain_text(message)
        expect(page.locator("#paint")).to_have_text(re.compile("^Paint$"))
        page.unroute("**/queue/join*")
    press(page, "Paint")
    # Somebody presses as soon as it can be read that the painting is ready.
    page.wait_for_function("/is ready/.test(document.querySelector('#status').innerText)", polling="raf")
    page.evaluate("new Promise(requestAnimationFrame)")
    press_it = "button => { const label = button.textContent; button.click(); return label }"
    assert page.locator("#paint").evaluate(press_it) == "Paint"  # status and button say the same
    expect(page.locator("#paintings .open")).to_have_count(2)
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    expect(page.locator("#paint")).to_have_text("Paint")
