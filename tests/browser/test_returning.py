"""A visitor who comes back: by a reload, in another tab."""

import json
import re
from dataclasses import replace

import pytest
from playwright.sync_api import expect
from served import LIMITS, serve, unhurried_host
from visits import AT_WORK, LONG, another_tab, begin, downloaded, draw, drawn, open_group, press, stop
from waiting import eventually


@pytest.fixture(scope="module")
def url():
    """A host that waits long for visitors to come back."""
    with unhurried_host(), serve(replace(LIMITS, grace=60.0)) as url:
        yield url


def test_all_comes_back(visitor, url):
    page = visitor(LONG + "&photo=rocket&style=marbling&style_weight=7")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url + request.headers.get("referer", "")))
    open_group(page, "Areas")
    counts = {}
    for brush, role in (("#brush", "Keep the photo"), ("#style-brush", "Take the style from here")):
        draw(page, brush, role, (0.1, 0.1), (0.4, 0.5))
        counts[brush] = drawn(page, brush)
        assert counts[brush] > 100
    begin(page)
    key, run = page.evaluate("[localStorage['painted-live-key'], sessionStorage['painted-live-run']]")
    assert len(key) == 32
    page.goto(url)  # without the link's settings: what comes back is the run's
    expect(page.locator("#status")).to_contain_text(AT_WORK)
    expect(page.locator("#iterations input[type=number]")).to_have_value("1000")
    expect(page.locator("#style_weight input[type=number]")).to_have_value("7")
    expect(page.locator("#photo img").first).to_have_attribute("src", re.compile("rocket"))
    expect(page.locator("#style img").first).to_have_attribute("src", re.compile("marbling"))
    open_group(page, "Areas")
    for brush, count in counts.items():
        eventually(lambda brush=brush, count=count: abs(drawn(page, brush) - count) < count / 20)
    live = page.locator("#live .canvas")
    expect(live).not_to_have_attribute("src", live.get_attribute("src"))
    stop(page)
    page.reload()
    expect(page.locator("#continue")).to_be_visible()
    assert json.loads(downloaded(page).info["Settings"])["style_weight"] == 7
    expect(page.locator("#history button").first).to_be_visible()
    page.get_by_role("tab", name="Time-lapse").click()
    expect(page.locator("#film video")).to_be_visible()
    page.locator("#continue").click()
    expect(page.locator("#status")).to_contain_text(AT_WORK)
    page.goto("about:blank")
    page.go_back()
    expect(page.locator("#status")).to_contain_text(AT_WORK)
    stop(page)
    expect(page.locator("#paintings .open")).to_have_count(2)
    page.locator("#paintings .delete").first.click()
    expect(page.locator("#status")).to_contain_text("Painting deleted")
    expect(page.locator("#paintings .delete")).to_have_count(1)
    # Nothing of it is shown any more.
    gone = "#download, #history button, #film video, .after[src*='/run-'], .canvas[src*='/run-']"
    expect(page.locator(gone)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#download")).to_be_visible()
    expect(page.locator("#paintings .delete")).to_have_count(2)
    # Neither stands in any address or referrer.
    assert len(asked) > 5
    assert not [address for address in asked if run in address or key in address]


def test_ones_own_tabs_find_a_painting_and_leave_each_other_room(visitor, url):
    page = visitor(LONG)
    begin(page)
    # With the id of the run, but a key of one's own.
    run = page.evaluate("sessionStorage['painted-live-run']")
    stranger = visitor(script=f"sessionStorage.setItem('painted-live-run', '{run}')")
    expect(stranger.locator("#status")).to_contain_text("This painting has expired")
    expect(stranger.locator("#paint")).to_have_text("Paint")
    expect(stranger.locator("#paintings .open")).to_have_count(0)
    second = another_tab(page.context, url)
    one = second.locator("#paintings .open")
    expect(one).to_contain_text("Painting")
    expect(second.locator("#paint")).to_have_text("Paint")
    page.close()
    third = another_tab(second.context, url)  # shows the one that no page shows
    expect(third.locator("#status")).to_contain_text(AT_WORK)
    one.click()
    expect(second.locator("#status")).to_contain_text(AT_WORK)
    # Who waits may stop before it begins.
    waiting = another_tab(second.context, url + LONG)
    press(waiting, "Paint")
    expect(waiting.locator("#status")).to_contain_text("In line")
    press(waiting, "Stop")
    expect(waiting.locator("#status")).to_contain_text("Stopped before it began")

    # As many tabs as a browser has connections over HTTP/1.1, six, leave one for the next.
    press(waiting, "Paint")
    expect(waiting.locator("#status")).to_contain_text("In line")
    for _ in range(3):
        another_tab(second.context, url)
    seventh = another_tab(second.context, url)
    seventh.get_by_role("button", name="Bold").click()
    expect(seventh.locator("#content_weight input[type=number]")).to_have_value("3")
    stop(second)
    expect(third.locator("#status")).to_contain_text("Stopped")
    expect(waiting.locator("#status")).to_contain_text(AT_WORK)
