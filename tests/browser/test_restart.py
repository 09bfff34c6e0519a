"""A page whose line breaks, or whose host ends."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from app_process import UNHURRIED, App, running
from conftest import picture
from playwright.sync_api import expect
from relay import relayed
from served import LIMITS, serve
from strangers import Stranger
from visits import AT_WORK, another_tab, begin, downloaded, press_paint, stop, unhurried_host, upload

KEPT = (("localStorage", "key"), ("sessionStorage", "run"))
LONG = "?size=64&iterations=1000"


@pytest.fixture
def url() -> str:
    """No host of all tests: each has its own."""
    return ""


def test_a_line_that_was_cut_for_some_seconds_costs_nothing(visitor):
    with unhurried_host(), serve(replace(LIMITS, grace=60.0)) as url, relayed(url) as relay:
        page = visitor(relay.url + LONG)
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
        stop(page)
        expect(page.locator("#paintings .open")).to_have_count(1)


def test_a_page_goes_on_after_its_host_was_killed_and_after_an_ordinary_restart(visitor, tmp_path):
    again = {"folder": tmp_path, "script": UNHURRIED}
    with running(PYTHONHASHSEED="1", **again) as app:
        made = made_of(app)
        page = visitor(app.url + LONG)
        begin(page)
        page.wait_for_timeout(2500)
        secrets = [page.evaluate(f"{kind}.getItem('painted-live-{name}')") for kind, name in KEPT]
    expect(page.get_by_text("Connection to the server was lost")).to_be_visible()
    page.evaluate("window.cut = true")
    with running(PYTHONHASHSEED="2", port=app.port, **again) as app:
        # By itself, as soon as the host answers.
        page.wait_for_function("!window.cut")
        expect(page.locator("#status")).to_contain_text("The server restarted.")
        expect(page.locator("#status")).to_contain_text(re.compile(r"Press Continue to go on from step \d+"))
        page.locator("#continue").click()
        expect(page.locator("#status")).to_contain_text(AT_WORK)
        stop(page)
        assert downloaded(page).format == "PNG"
        assert all(secrets)
        assert not [secret for secret in secrets if secret in app.log.read_text()]
        # Of a page that was open before, every value goes to the component that it is for.
        assert made_of(app) == made
        other = another_tab(page.context, app.url)
        picture(90, 60).save(tmp_path / "own.png")
        upload(other, "photo", tmp_path / "own.png")
        app.end()
        press_paint(page)
        expect(page.locator("#status")).to_contain_text("The server cannot be reached")
        expect(page.locator("#paint")).to_have_text(re.compile("^Paint$"))
    with running(port=app.port, **again):
        begin(page)
        stop(page)
        assert downloaded(page).format == "PNG"
        # What was uploaded is gone with the host, as is promised.
        press_paint(other)
        expect(other.locator("#status")).to_contain_text("The photo is no longer kept here; add it again.")
        expect(other.locator("#paint")).to_have_text(re.compile("^Paint$"))


def made_of(app: App) -> tuple[int, list]:
    config = Stranger(app.url, "").config
    return config["app_id"], config["dependencies"]
