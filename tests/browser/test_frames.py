"""A painting goes on: from a frame, or larger."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Page, expect
from visits import choose, downloaded, finished, paint, set_number, upload

from nst.page.parts import stage


def test_going_on_from_a_frame_and_larger(page: Page, photo, monkeypatch):
    monkeypatch.setattr(stage, "_SIZES", (64, 128, 768))
    expect(page.locator("#continue")).to_have_count(0)
    paint(page)
    whole = finished(page)
    strip = page.locator("#history button")
    expect(strip.nth(2)).to_be_visible()
    strip.first.click()
    expect(page.locator("#status")).to_contain_text(re.compile(r"Step 1. Press Continue to go on from here"))
    expect(page.locator("#live .canvas")).not_to_have_attribute("src", whole)
    # What is saved is what is shown.
    expect(strip.first).to_have_attribute("aria-pressed", "true")
    assert downloaded(page).format == "JPEG"
    # A frame on the way goes on with Continue; the finished picture, chosen again, larger too.
    expect(page.locator("#larger")).to_have_count(0)
    strip.last.click()
    expect(page.locator("#live .canvas")).to_have_attribute("src", whole)
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
    expect(page.locator("#larger")).to_have_count(0)  # there is nothing larger here
    # On from the finished picture: only the last size is painted again.
    set_number(page, "style_weight", 9)
    page.locator("#continue").click()
    expect(page.locator("#status .line")).to_have_attribute("title", re.compile("^10 steps"))
    assert json.loads(downloaded(page).info["Settings"])["style_weight"] == 9
    # A painting of another photo is no way to go on with this one.
    upload(page, "photo", photo)
    expect(page.locator("#status")).to_contain_text("You changed the pictures. Press Paint to use them.")
    page.locator("#continue").click()
    expect(page.get_by_role("alert")).to_contain_text("Continue needs the photo it began with.")
    expect(page.locator("#paint")).to_have_text("Paint")
    expect(page.locator("#continue")).to_be_visible()
    # What two examples become is shown also after a painting, which stays in the row.
    choose(page, "photo", "Rocket")
    expect(page.locator("#live .canvas")).to_have_attribute("src", re.compile("rocket-starry_night"))
    expect(page.locator("#status")).to_contain_text("This is an example.")
    expect(page.locator("#download, #history button")).to_have_count(0)
    expect(page.locator("#paintings .delete").first).to_be_visible()
