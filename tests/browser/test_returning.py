"""A visitor who comes back: by a reload, another tab, after the host has been killed."""

from __future__ import annotations

import json
import re
import signal
import time
from dataclasses import replace

import pytest
from conftest import picture
from load import UNHURRIED, App
from playwright.sync_api import BrowserContext, Page, expect
from relay import relayed
from served import LIMITS, serve
from visits import (
    WAIT,
    downloaded,
    finished,
    open_group,
    open_page,
    press_paint,
    press_stop,
    set_number,
    shown,
    unhurried_host,
    upload,
)

AT_WORK = re.compile(r"Painting · \d+ %")
KEPT = (("localStorage", "key"), ("sessionStorage", "run"))
LONG_LINK = "?size=64&iterations=1000"


@pytest.fixture(scope="module")
def url():
    """A host that waits long for visitors to come back."""
    with unhurried_host(), serve(replace(LIMITS, grace=60.0)) as url:
        yield url


def tab(context: BrowserContext, url: str) -> Page:
    page = context.new_page()
    page.set_default_timeout(WAIT)
    open_page(page, url)
    return page


def begin(page: Page) -> None:
    press_paint(page)
    expect(page.locator("#status")).to_contain_text(AT_WORK)


def end(page: Page) -> None:
    press_stop(page)
    expect(page.locator("#status")).to_contain_text("Stopped")
    expect(page.locator("#paint")).to_have_text("Paint")


def name_of(page: Page, card: str) -> str:
    return (page.locator(f"#{card} img").first.get_attribute("src") or "").rsplit("/", 1)[-1]


def journey(context: BrowserContext, url: str) -> None:
    """Paint, reload in mid-run, stop, reload again, go on, and delete."""
    page = tab(context, url + LONG_LINK)
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
    live = shown(page)
    page.wait_for_function("before => document.querySelector('#live .canvas').src !== before", arg=live)
    end(page)
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
    end(page)
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
    page.close()


def test_all_comes_back(browser, url):
    context = browser.new_context(accept_downloads=True)
    journey(context, url)
    context.close()


def test_a_painting_that_no_page_shows_is_found_by_a_new_tab_and_one_that_is_shown_is_offered(browser, url):
    context = browser.new_context()
    page = tab(context, url + LONG_LINK)
    begin(page)
    second = tab(context, url)
    one = second.locator("#paintings .open")
    expect(one).to_have_count(1)
    expect(one).to_contain_text("Painting")
    expect(second.locator("#paint")).to_have_text("Paint")
    page.close()
    third = tab(context, url)
    expect(third.locator("#status")).to_contain_text(AT_WORK)
    expect(third.locator("#paint")).to_have_text("Stop")
    one.click()
    expect(second.locator("#status")).to_contain_text(AT_WORK)
    end(second)
    expect(third.locator("#status")).to_contain_text("Stopped")
    context.close()


def test_a_strangers_browser_sees_and_opens_nothing(browser, url):
    context, other = browser.new_context(), browser.new_context()
    seen: list[str] = []
    page = tab(context, url + LONG_LINK)
    page.on("request", lambda request: seen.append(request.url + request.headers.get("referer", "")))
    begin(page)
    run = page.evaluate("sessionStorage.getItem('painted-live-run')")
    stranger = other.new_page()
    # With the id of the run, but a key of one's own.
    stranger.add_init_script(f"sessionStorage.setItem('painted-live-run', '{run}')")
    open_page(stranger, url)
    expect(stranger.locator("#status")).to_contain_text("This painting has expired")
    expect(stranger.locator("#paint")).to_have_text("Paint")
    expect(stranger.locator("#paintings .open")).to_have_count(0)
    end(page)
    key = page.evaluate("localStorage.getItem('painted-live-key')")
    assert len(key) == 32
    page.reload()
    expect(page.locator("#continue")).to_be_visible()
    assert len(seen) > 5
    # Neither stands in any address or referrer.
    assert not [address for address in seen if run in address or key in address]
    for each in (context, other):
        each.close()


def test_three_tabs_paint_and_five_are_idle(browser, url):
    """Over HTTP/1.1, where a browser has six connections for all of them."""
    context = browser.new_context()
    idle = [tab(context, url) for _ in range(5)]
    painting = [tab(context, url + LONG_LINK) for _ in range(3)]
    for number, page in enumerate(painting):
        press_paint(page)
        expect(page.locator("#status")).to_contain_text("In line" if number else AT_WORK)
    began = time.monotonic()
    ninth = tab(context, url)
    assert time.monotonic() - began < 20
    ninth.locator("#style-examples button").nth(1).click()
    expect(ninth.locator("#style img").first).to_have_attribute("src", re.compile("great_wave"))
    for page in painting:  # the next one begins when this one has stopped
        expect(page.locator("#status")).to_contain_text(AT_WORK)
        live = shown(page)
        page.wait_for_function("before => document.querySelector('#live .canvas').src !== before", arg=live)
        end(page)
    expect(idle[0].locator("#paint")).to_have_text("Paint")
    context.close()


@pytest.mark.parametrize(
    ("brush", "role"), [("#brush", "Keep the photo"), ("#style-brush", "Take the style from here")]
)
def test_what_was_drawn_comes_back(browser, url, brush, role):
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = tab(context, url + LONG_LINK)
    open_group(page, "Areas")
    page.locator(f"{brush} button", has_text=role).click()
    canvas = page.locator(f"{brush} canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 90, steps=5)
    page.mouse.up()
    drawn = f"() => {{ const c = document.querySelector('{brush} canvas');"
    drawn += " const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
    drawn += " return d.filter((value, index) => index % 4 === 3 && value > 128).length }"
    before = page.evaluate(drawn)
    assert before > 100
    begin(page)
    page.reload()
    expect(page.locator("#status")).to_contain_text(AT_WORK)
    open_group(page, "Areas")
    page.wait_for_function(f"({drawn})() > {before // 2}")
    assert abs(page.evaluate(drawn) - before) < before / 20
    end(page)
    context.close()


def test_a_line_that_was_cut_for_some_seconds_costs_nothing(browser, url):
    context = browser.new_context()
    with relayed(url) as relay:
        page = tab(context, relay.url + LONG_LINK)
        begin(page)
        relay.cut()
        expect(page.get_by_text("Connection to the server was lost")).to_be_visible()
        step = page.locator("#status").inner_text()
        page.evaluate("window.cut = true")
        relay.mend()
        # By itself: the page anew, with the same run, further on.
        page.wait_for_function("!window.cut")
        expect(page.locator("#status")).to_contain_text(AT_WORK)
        expect(page.locator("#paint")).to_have_text("Stop")
        expect(page.locator("#status")).not_to_have_text(step)
        end(page)
        expect(page.locator("#paintings .open")).to_have_count(1)
    context.close()


def test_a_host_that_was_killed_says_so_and_goes_on_from_the_last_frame(browser, tmp_path):
    app = App(tmp_path, UNHURRIED)
    context = browser.new_context(accept_downloads=True)
    try:
        app.wait()
        page = tab(context, app.url + LONG_LINK)
        begin(page)
        page.wait_for_timeout(2500)
        secrets = [page.evaluate(f"{kind}.getItem('painted-live-{name}')") for kind, name in KEPT]
        app.kill()
        expect(page.get_by_text("Connection to the server was lost")).to_be_visible()
        page.evaluate("window.cut = true")
        app = App(tmp_path, UNHURRIED, port=app.port)
        app.wait()
        # By itself, as soon as the host answers.
        page.wait_for_function("!window.cut")
        expect(page.locator("#status")).to_contain_text("The server restarted.")
        expect(page.locator("#status")).to_contain_text(re.compile(r"Press Continue to go on from step \d+"))
        page.locator("#continue").click()
        expect(page.locator("#status")).to_contain_text(AT_WORK)
        end(page)
        assert downloaded(page).format == "PNG"
        assert all(secrets)
        assert not [secret for secret in secrets if secret in app.log.read_text()]
    finally:
        context.close()
        app.kill()


def test_an_open_page_goes_on_after_an_ordinary_restart(browser, tmp_path):
    app = App(tmp_path)
    context = browser.new_context(accept_downloads=True)
    try:
        app.wait()
        page = tab(context, app.url + "?size=64&iterations=20")
        other = tab(context, app.url + "?size=64&iterations=20")
        picture(90, 60).save(tmp_path / "own.png")
        upload(other, "photo", tmp_path / "own.png")
        app.process.send_signal(signal.SIGTERM)
        assert app.process.wait(30) == 0
        press_paint(page)
        expect(page.locator("#status")).to_contain_text("The server cannot be reached")
        expect(page.locator("#paint")).to_have_text(re.compile("^Paint$"))
        app = App(tmp_path, port=app.port)
        app.wait()
        press_paint(page)
        expect(page.locator("#status")).to_contain_text("Your painting is ready")
        assert downloaded(page).format == "PNG"
        # What was uploaded is gone with the host, as is promised.
        press_paint(other)
        expect(other.locator("#status")).to_contain_text("The photo is no longer kept here; add it again.")
        expect(other.locator("#paint")).to_have_text(re.compile("^Paint$"))
    finally:
        context.close()
        app.kill()
