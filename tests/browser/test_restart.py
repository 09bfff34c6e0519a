"""A page whose line breaks, or whose host ends."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from app_process import UNHURRIED, App, running
from playwright.sync_api import Browser, expect
from relay import Relay
from served import LIMITS, serve
from strangers import Stranger
from unhurried import unhurried_host
from visits import AT_WORK, LONG, another_tab, begin, downloaded, press, stop, upload, visit
from waiting import eventually


def test_a_page_goes_on_after_its_line_was_cut_and_after_an_ordinary_restart(browser: Browser):
    patient = replace(LIMITS, grace=60.0)
    with (
        unhurried_host(),
        serve(patient) as url,
        serve(patient) as started_anew,
        Relay(url) as relay,
        visit(browser, relay.url + LONG) as page,
    ):
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
        # The last that follows an end; a page that loses the line before says that, and loads itself again.
        page.get_by_role("tab", name="Time-lapse").click()
        expect(page.locator("#film video")).to_be_visible()

        relay.cut()
        press(page, "Paint")
        expect(page.locator("#status")).to_contain_text("The server cannot be reached")
        expect(page.locator("#paint")).to_have_text(re.compile("^Paint$"))
        relay.lead_to(started_anew)
        relay.mend()
        begin(page)
        stop(page)
        assert downloaded(page).format == "PNG"


def test_a_page_goes_on_after_its_host_was_killed(browser: Browser, tmp_path, photo):
    again = {"folder": tmp_path, "script": UNHURRIED}
    with running(PYTHONHASHSEED="1", **again) as app, visit(browser, app.url + LONG) as page:
        made = made_of(app)
        other = another_tab(page.context, app.url)
        upload(other, "photo", photo)
        begin(page)
        (record,) = app.folder.rglob(".run.json")
        eventually(lambda: json.loads(record.read_text())["frames"])
        secrets = page.evaluate(
            "[localStorage.getItem('painted-live-key'), sessionStorage.getItem('painted-live-run')]"
        )
        app.kill()
        expect(page.get_by_text("Connection to the server was lost")).to_be_visible()
        page.evaluate("window.cut = true")
        with running(PYTHONHASHSEED="2", port=app.port, **again) as app_again:
            # By itself, as soon as the host answers.
            page.wait_for_function("!window.cut")
            expect(page.locator("#status")).to_contain_text("The server restarted.")
            expect(page.locator("#status")).to_contain_text(
                re.compile(r"Press Continue to go on from step \d+")
            )
            page.locator("#continue").click()
            expect(page.locator("#status")).to_contain_text(AT_WORK)
            stop(page)
            assert downloaded(page).format == "PNG"
            assert all(secrets)
            log = app_again.log.read_text()
            assert not [secret for secret in secrets if secret in log]
            # Of a page that was open before, every value goes to the component that it is for.
            assert made_of(app_again) == made
            assert len(made[2]) >= 4
            # What was uploaded and not painted is gone with the host.
            press(other, "Paint")
            expect(other.locator("#status")).to_contain_text(
                "The photo is no longer kept here; add it again."
            )
            expect(other.locator("#paint")).to_have_text(re.compile("^Paint$"))


def made_of(app: App) -> tuple[int, list, set[bytes]]:
    """Return what a page that is open, or that a proxy leads to another host, finds again."""
    somebody = Stranger(app.url, "")
    page = somebody.ask("GET", "/")[2]
    named = re.findall(rb'(?:content=|src=|href=|url\()"([^"]*\.(?:jpg|js|css)[^"]*)"', page)
    return somebody.config["app_id"], somebody.config["dependencies"], set(named)
