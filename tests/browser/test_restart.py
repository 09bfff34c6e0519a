"""A page whose host ends."""

import json
import re

from app_process import App, running
from playwright.sync_api import Browser, expect
from strangers import Stranger
from visits import AT_WORK, another_tab, begin, choose, downloaded, drop, press, stop, visit
from waiting import eventually


def test_a_page_goes_on_after_its_host_was_killed(browser: Browser, tmp_path, photo):
    with (
        running(PYTHONHASHSEED="1", folder=tmp_path) as app,
        visit(browser, app.url + "?iterations=1000") as page,
    ):
        made = made_of(app)
        other = another_tab(page.context, app.url)
        drop(other, "#photo img", photo.read_bytes())
        expect(other.locator("#photo img")).to_have_attribute("src", re.compile("shown"))
        begin(page)
        (record,) = app.folder.rglob(".run.json")
        eventually(lambda: json.loads(record.read_text())["frames"])
        secrets = page.evaluate("[localStorage['painted-live-key'], sessionStorage['painted-live-run']]")
        app.kill()
        expect(page.get_by_text("Connection to the server was lost")).to_be_visible()
        page.evaluate("window.cut = true")
        with running(PYTHONHASHSEED="2", port=app.port, folder=tmp_path) as app_again:
            # By itself, as soon as the host answers.
            page.wait_for_function("!window.cut")
            goes_on = re.compile(r"The server restarted\..*Press Continue to go on from step \d+", re.DOTALL)
            expect(page.locator("#status")).to_contain_text(goes_on)
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
            gone = "The photo is no longer kept here; add it again."
            expect(other.locator("#status")).to_contain_text(gone)
            # With another one it paints again.
            choose(other, "photo", "Rocket")
            begin(other)
            stop(other)


def made_of(app: App) -> tuple[int, list, set[bytes]]:
    """Return what a page that is open, or that a proxy leads to another host, finds again."""
    somebody = Stranger(app.url, "")
    named = re.findall(rb'="([^"]*\.(?:jpg|js|css)[^"]*)"', somebody.ask("GET", "/")[2])
    return somebody.config["app_id"], somebody.config["dependencies"], set(named)
