"""A visitor who comes back: by a reload, in another tab."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect
from served import LIMITS, serve
from unhurried import unhurried_host
from visits import (
    AT_WORK,
    LONG,
    another_tab,
    begin,
    choose,
    downloaded,
    drag,
    finished,
    open_group,
    press,
    set_number,
    shown,
    stop,
)

DRAWN = """(brush) => {
  const canvas = document.querySelector(`${brush} canvas`);
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  return pixels.filter((value, index) => index % 4 === 3 && value > 128).length }"""


@pytest.fixture(scope="module")
def url():
    """A host that waits long for visitors to come back."""
    with unhurried_host(), serve(replace(LIMITS, grace=60.0)) as url:
        yield url


def name_of(page: Page, card: str) -> str:
    return (page.locator(f"#{card} img").first.get_attribute("src") or "").rsplit("/", 1)[-1]


def test_all_comes_back(visitor, url):
    """Draw, paint, reload in mid-run, stop, reload again, go on, delete, and undo that."""
    page = visitor(LONG, viewport={"width": 1280, "height": 1000})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url + request.headers.get("referer", "")))
    choose(page, "photo", "Rocket")
    choose(page, "style", "Marbling")
    set_number(page, "style_weight", 7)
    open_group(page, "Areas")
    drawn = {}
    for brush, role in (("#brush", "Keep the photo"), ("#style-brush", "Take the style from here")):
        page.locator(f"{brush} button", has_text=role).click()
        drag(page.locator(f"{brush} canvas"), (0.1, 0.1), (0.4, 0.5))
        drawn[brush] = page.evaluate(DRAWN, brush)
        assert drawn[brush] > 100
    begin(page)
    run = page.evaluate("sessionStorage.getItem('painted-live-run')")
    key = page.evaluate("localStorage.getItem('painted-live-key')")
    assert len(key) == 32
    before = name_of(page, "photo"), name_of(page, "style")
    page.goto(url)  # without the link's settings: what comes back is the run's
    expect(page.locator("#status")).to_contain_text(AT_WORK)
    expect(page.locator("#paint")).to_have_text("Stop")
    expect(page.locator("#iterations input[type=number]")).to_have_value("1000")
    expect(page.locator("#style_weight input[type=number]")).to_have_value("7")
    assert (name_of(page, "photo"), name_of(page, "style")) == before
    open_group(page, "Areas")
    for brush, count in drawn.items():
        page.wait_for_function(f"([brush, least]) => ({DRAWN})(brush) > least", arg=[brush, count // 2])
        assert abs(page.evaluate(DRAWN, brush) - count) < count / 20
    expect(page.locator("#live .canvas")).not_to_have_attribute("src", shown(page))
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
    # Neither stands in any address or referrer.
    assert len(asked) > 5
    assert not [address for address in asked if run in address or key in address]


def test_ones_own_tabs_find_a_painting_and_leave_each_other_room(visitor, url):
    """A new tab shows one that no page shows, and offers the others."""
    page = visitor(LONG)
    begin(page)
    # With the id of the run, but a key of one's own.
    run = page.evaluate("sessionStorage.getItem('painted-live-run')")
    stranger = visitor(script=f"sessionStorage.setItem('painted-live-run', '{run}')")
    expect(stranger.locator("#status")).to_contain_text("This painting has expired")
    expect(stranger.locator("#paint")).to_have_text("Paint")
    expect(stranger.locator("#paintings .open")).to_have_count(0)
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

    # As many tabs as a browser has connections over HTTP/1.1, six, leave one for the next.
    painting = [second, third, another_tab(second.context, url + LONG)]
    idle = [another_tab(second.context, url) for _ in range(3)]
    for number, page in enumerate(painting):
        press(page, "Paint")
        expect(page.locator("#status")).to_contain_text("In line" if number else AT_WORK)
    seventh = another_tab(second.context, url)
    choose(seventh, "style", "Marbling")
    for page in painting:  # the next one begins when this one has stopped
        expect(page.locator("#status")).to_contain_text(AT_WORK)
        stop(page)
    for page in idle:
        expect(page.locator("#paint")).to_have_text("Paint")
