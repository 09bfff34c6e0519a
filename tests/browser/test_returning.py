"""A visitor who comes back: by a reload, in another tab."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect
from served import LIMITS, serve
from visits import (
    AT_WORK,
    another_tab,
    begin,
    downloaded,
    drag,
    finished,
    open_group,
    press_paint,
    set_number,
    shown,
    stop,
    unhurried_host,
)

LONG = "?size=64&iterations=1000"


@pytest.fixture(scope="module")
def url():
    """A host that waits long for visitors to come back."""
    with unhurried_host(), serve(replace(LIMITS, grace=60.0)) as url:
        yield url


def name_of(page: Page, card: str) -> str:
    return (page.locator(f"#{card} img").first.get_attribute("src") or "").rsplit("/", 1)[-1]


def see_it_go_on(page: Page) -> None:
    """Return when another frame has come."""
    live = shown(page)
    page.wait_for_function("before => document.querySelector('#live .canvas').src !== before", arg=live)


def test_all_comes_back(visitor, url):
    """Paint, reload in mid-run, stop, reload again, go on, delete, and undo that."""
    page = visitor(LONG)
    page.locator("#photo-examples button").nth(1).click()
    page.locator("#style-examples button").nth(1).click()
    expect(page.locator("#style img").first).to_have_attribute("src", re.compile("great_wave"))
    set_number(page, "style_weight", 7)
    begin(page)
    before = name_of(page, "photo"), name_of(page, "style")
    page.goto(url)  # without the link's settings: what comes back is the run's
    expect(page.locator("#status")).to_contain_text(AT_WORK)
    expect(page.locator("#paint")).to_have_text("Stop")
    expect(page.locator("#iterations input[type=number]")).to_have_value("1000")
    expect(page.locator("#style_weight input[type=number]")).to_have_value("7")
    assert (name_of(page, "photo"), name_of(page, "style")) == before
    see_it_go_on(page)
    stop(page)
    finished(page)
    page.reload()
    expect(page.locator("#continue")).to_be_visible()
    expect(page.locator("#paint")).to_have_text("Paint")
    assert json.loads(downloaded(page).info["Settings"])["style_weight"] == 7
    expect(page.locator("#history button").first).to_be_visible()
    page.get_by_role("tab", name="Time-lapse").click()
    expect(page.locator("#film video")).to_have_attribute("src", re.compile(r"\.mp4$"))
    page.locator("#continue").click()
    expect(page.locator("#status")).to_contain_text(AT_WORK)
    page.goto("about:blank")
    page.go_back()
    expect(page.locator("#status")).to_contain_text(AT_WORK)
    stop(page)
    row = page.locator("#paintings .open")
    expect(row).to_have_count(2)
    page.locator("#paintings .delete").first.click()
    expect(page.locator("#status")).to_contain_text("Painting deleted")
    expect(page.locator("#paintings .delete")).to_have_count(1)
    # Nothing of it is shown any more.
    for gone in ("#download", "#history button", "#film video"):
        expect(page.locator(gone)).to_have_count(0)
    expect(page.locator("#compare .after")).not_to_have_attribute("src", re.compile("/run-"))
    expect(page.locator("#live .canvas")).not_to_have_attribute("src", re.compile("/run-"))
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#download")).to_be_visible()
    expect(page.locator("#paintings .delete")).to_have_count(2)
    page.locator("#paintings .delete").first.click()
    expect(page.locator("#paintings .delete")).to_have_count(1)
    row.last.click()
    expect(page.locator("#download")).to_be_visible()


def test_a_painting_that_no_page_shows_is_found_by_a_new_tab_and_one_that_is_shown_is_offered(visitor, url):
    page = visitor(LONG)
    begin(page)
    second = another_tab(page.context, url)
    one = second.locator("#paintings .open")
    expect(one).to_have_count(1)
    expect(one).to_contain_text("Painting")
    expect(second.locator("#paint")).to_have_text("Paint")
    page.close()
    third = another_tab(second.context, url)
    expect(third.locator("#status")).to_contain_text(AT_WORK)
    expect(third.locator("#paint")).to_have_text("Stop")
    one.click()
    expect(second.locator("#status")).to_contain_text(AT_WORK)
    stop(second)
    expect(third.locator("#status")).to_contain_text("Stopped")


def test_a_strangers_browser_sees_and_opens_nothing(visitor):
    seen: list[str] = []
    page = visitor(LONG)
    page.on("request", lambda request: seen.append(request.url + request.headers.get("referer", "")))
    begin(page)
    run = page.evaluate("sessionStorage.getItem('painted-live-run')")
    # With the id of the run, but a key of one's own.
    stranger = visitor(script=f"sessionStorage.setItem('painted-live-run', '{run}')")
    expect(stranger.locator("#status")).to_contain_text("This painting has expired")
    expect(stranger.locator("#paint")).to_have_text("Paint")
    expect(stranger.locator("#paintings .open")).to_have_count(0)
    stop(page)
    key = page.evaluate("localStorage.getItem('painted-live-key')")
    assert len(key) == 32
    page.reload()
    expect(page.locator("#continue")).to_be_visible()
    assert len(seen) > 5
    # Neither stands in any address or referrer.
    assert not [address for address in seen if run in address or key in address]


def test_as_many_tabs_as_a_browser_has_connections_leave_one_for_the_next(visitor, url):
    """Over HTTP/1.1, where a browser has six connections for all of them."""
    idle = visitor()
    for _ in range(2):
        another_tab(idle.context, url)
    painting = [another_tab(idle.context, url + LONG) for _ in range(3)]
    for number, page in enumerate(painting):
        press_paint(page)
        expect(page.locator("#status")).to_contain_text("In line" if number else AT_WORK)
    seventh = another_tab(idle.context, url)
    seventh.locator("#style-examples button").nth(1).click()
    expect(seventh.locator("#style img").first).to_have_attribute("src", re.compile("great_wave"))
    for page in painting:  # the next one begins when this one has stopped
        expect(page.locator("#status")).to_contain_text(AT_WORK)
        see_it_go_on(page)
        stop(page)
    expect(idle.locator("#paint")).to_have_text("Paint")


DRAWN = """(brush) => {
  const canvas = document.querySelector(`${brush} canvas`);
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.filter((value, index) => index % 4 === 3 && value > 128).length }"""


def test_what_was_drawn_comes_back(visitor):
    page = visitor(LONG, viewport={"width": 1280, "height": 1000})
    open_group(page, "Areas")
    before = {}
    for brush, role in (("#brush", "Keep the photo"), ("#style-brush", "Take the style from here")):
        page.locator(f"{brush} button", has_text=role).click()
        drag(page.locator(f"{brush} canvas"), (0.1, 0.1), (0.4, 0.5))
        before[brush] = page.evaluate(DRAWN, brush)
        assert before[brush] > 100
    begin(page)
    page.reload()
    expect(page.locator("#status")).to_contain_text(AT_WORK)
    open_group(page, "Areas")
    for brush, count in before.items():
        page.wait_for_function(f"([brush, least]) => ({DRAWN})(brush) > least", arg=[brush, count // 2])
        assert abs(page.evaluate(DRAWN, brush) - count) < count / 20
    stop(page)
