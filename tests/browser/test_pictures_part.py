"""Pictures come to their cards: dropped, pasted, chosen, whatever they are called."""

from __future__ import annotations

import base64
import io
import multiprocessing
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from pictures import encoded, jpeg, picture
from PIL import Image
from playwright.sync_api import Page, expect
from visits import downloaded, drop, paint, press_paint, press_stop
from waiting import eventually

from nst.runs import decoder


def source(page: Page, card: str) -> str:
    return page.locator(f"#{card} img").first.get_attribute("src") or ""


OWN = jpeg(90, 60, seed=5)
HEIC = encoded(picture(90, 60, seed=5), "HEIF", quality=90)


@pytest.fixture
def page(shared_page: Page) -> Page:
    return shared_page


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (OWN, "photo.jpg", "image/jpeg"),
        (HEIC, "IMG_0001.HEIC", ""),
        (OWN, "without an ending", ""),
        (HEIC, "renamed.jpg", "image/jpeg"),
    ],
)
def test_a_file_dropped_on_a_card_with_a_picture_takes_its_place(data, name, kind, page):
    before = source(page, "photo")
    assert drop(page, "#photo img", data, name, kind)
    expect(page.locator("#photo img").first).not_to_have_attribute("src", before)
    expect(page.locator("#forecast")).to_contain_text("64 × 43 px")  # noqa: RUF001
    # What is shown was made here of what was read here.
    page.wait_for_function("document.querySelector('#photo img')?.naturalWidth === 90")
    assert source(page, "photo").endswith("shown.jpg")


def test_a_file_that_is_dragged_in_by_hand_takes_the_pictures_place(page, photo):
    """As the system hands it to the browser; what a script makes of it is looked at above."""
    before, box = source(page, "photo"), page.locator("#photo img").first.bounding_box()
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    browser = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": [str(photo)], "dragOperationsMask": 1}
        browser.send("Input.dispatchDragEvent", {"type": kind, **place, "data": data})
    expect(page.locator("#photo img").first).not_to_have_attribute("src", before)
    page.wait_for_function("document.querySelector('#photo img')?.naturalWidth === 120")


def test_a_run_does_not_decode_a_photo_again_that_was_read_when_it_came(visitor, monkeypatch):
    page = visitor("?size=64&iterations=20")
    jobs = []

    def decoded() -> list[str]:
        return [options["label"] for work, _, options, _ in jobs if work == "decode"]

    kind = decoder._Process
    monkeypatch.setattr(decoder, "_Process", lambda *given: (jobs.append(given), kind(*given))[1])
    assert drop(page, "#photo img", OWN)
    expect(page.locator("#forecast")).to_contain_text("64 × 43 px")  # noqa: RUF001
    eventually(lambda: "This file" in decoded())
    eventually(lambda: not multiprocessing.active_children())
    jobs.clear()
    paint(page)
    assert set(decoded()) <= {"The style picture"}


def test_paint_waits_for_a_photo_that_is_on_its_way(visitor):
    page = visitor("?size=64&iterations=20")
    held = []
    page.route("**/gradio_api/upload", lambda route: held.append(route))
    assert drop(page, "#photo img", OWN)
    expect(page.locator("#photo")).to_have_class(re.compile("receiving"))
    press_paint(page)
    expect(page.locator("#paint")).to_have_text("Stop")
    page.wait_for_timeout(1000)
    assert "This is an example" in page.locator("#status").inner_text()
    # Stopped before anything has begun, and begun again.
    press_stop(page)
    expect(page.locator("#paint")).to_have_text("Paint")
    press_paint(page)
    expect(page.locator("#paint")).to_have_text("Stop")
    held[0].continue_()
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    assert downloaded(page).size == (64, 43)
    expect(page.locator("#photo")).not_to_have_class(re.compile("receiving"))


def test_a_file_that_is_dropped_beside_the_cards_changes_nothing(page):
    before = source(page, "photo"), source(page, "style"), page.url
    assert drop(page, "#live", OWN)
    page.wait_for_timeout(500)
    assert (source(page, "photo"), source(page, "style"), page.url) == before


def test_what_is_pasted_anywhere_is_the_photo(page):
    before, style = source(page, "photo"), source(page, "style")
    page.evaluate(
        """(data) => {
          const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
          const clipboard = new DataTransfer();
          clipboard.items.add(new File([bytes], 'image.png', { type: 'image/png' }));
          const more = { bubbles: true, cancelable: true, composed: true, clipboardData: clipboard };
          document.body.dispatchEvent(new ClipboardEvent('paste', more)) }""",
        base64.b64encode(OWN).decode(),
    )
    expect(page.locator("#photo img").first).not_to_have_attribute("src", before)
    assert source(page, "style") == style


def test_two_files_at_once_both_arrive(page):
    before = [source(page, card) for card in ("photo", "style")]
    for card in ("photo", "style"):
        assert drop(page, f"#{card} img", OWN)
    for card, src in zip(("photo", "style"), before, strict=True):
        expect(page.locator(f"#{card} img").first).not_to_have_attribute("src", src)
    expect(page.locator(".receiving")).to_have_count(0)
    expect(page.locator(".fault")).to_have_count(0)


def test_what_is_no_picture_is_said_on_its_card_and_costs_nothing(page):
    before = source(page, "style")
    for _ in range(2):  # the same once more is said once more
        assert drop(page, "#style img", b"%PDF-1.7", "paper.pdf", "application/pdf")
        expect(page.locator("#style")).not_to_have_class(re.compile("receiving"))
        expect(page.locator("#style").get_by_role("alert")).to_have_text(
            "This file is a PDF; export it as PNG and use that."
        )
    assert source(page, "style") == before
    expect(page.locator(".fault")).to_have_count(1)
    assert drop(page, "#style img", jpeg(), "painting.jpg", "image/jpeg")
    expect(page.locator("#style img").first).not_to_have_attribute("src", before)
    expect(page.locator(".fault")).to_have_count(0)


def test_rows_that_are_missing_are_said_on_the_card(page):
    assert drop(page, "#photo img", jpeg(300, 300)[:-400])
    expect(page.locator("#photo").get_by_role("alert")).to_contain_text("This file breaks off early: ")
    page.locator("#photo-examples button").nth(1).click()
    expect(page.locator(".fault")).to_have_count(0)


def test_upload_opens_a_chooser_and_keeps_the_picture_until_another_is_there(page):
    button = page.locator("#photo .source-selection button").first

    def by_key() -> None:
        button.focus()
        page.keyboard.press("Enter")

    for press in (button.click, by_key):
        before = source(page, "photo")
        with page.expect_file_chooser() as chooser:
            press()
        chooser.value.set_files([])  # thought better of it
        assert source(page, "photo") == before
        with page.expect_file_chooser() as chooser:
            press()
        chooser.value.set_files([{"name": "a\u202fphoto.jpg", "mimeType": "image/jpeg", "buffer": OWN}])
        expect(page.locator("#photo img").first).not_to_have_attribute("src", before)


def test_the_card_shows_the_colours_that_are_painted(page, tmp_path: Path):
    """A TIFF, which Chromium shows nothing of."""
    before, path = source(page, "photo"), tmp_path / "linear.tif"
    tifffile.imwrite(path, np.full((60, 90, 3), 13 * 257, np.uint16), photometric="rgb")
    assert drop(page, "#photo img", path.read_bytes(), path.name, "image/tiff")
    expect(page.locator("#photo img").first).not_to_have_attribute("src", before)
    page.wait_for_function("document.querySelector('#photo img')?.naturalWidth === 90")
    with page.expect_response(re.compile(r"shown\.jpg")) as caught:
        page.evaluate("fetch(document.querySelector('#photo img').src)")
    shown = np.asarray(Image.open(io.BytesIO(caught.value.body())))
    assert shown.mean() == pytest.approx(13, abs=1)


def test_a_camera_or_a_clipboard_that_is_refused_is_said(page):
    before, said = source(page, "photo"), page.locator("#photo").get_by_role("alert")
    page.get_by_role("button", name="Paste: photo").click()
    expect(said).to_contain_text("Your browser blocked the clipboard")
    assert source(page, "photo") == before  # it is still there
    page.get_by_role("button", name="Camera: photo").click()
    # Neither an error in the console, which the fixture would see.
    expect(said).to_contain_text(re.compile("blocked the camera|No camera was found"))


def test_the_clipboards_button_takes_a_picture_and_says_if_there_is_none(visitor):
    page = visitor(permissions=["clipboard-read", "clipboard-write"])
    before = source(page, "style")
    button = page.locator("#style .source-selection button").last
    page.evaluate("navigator.clipboard.writeText('a word')")
    button.click()
    expect(page.locator("#style").get_by_role("alert")).to_contain_text("No picture in the clipboard")
    page.evaluate(
        """async (data) => {
          const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
          const item = new ClipboardItem({ 'image/png': new Blob([bytes], { type: 'image/png' }) });
          await navigator.clipboard.write([item]) }""",
        base64.b64encode(encoded(picture(90, 60), "PNG")).decode(),
    )
    button.click()
    expect(page.locator("#style img").first).not_to_have_attribute("src", before)
    expect(page.locator(".fault")).to_have_count(0)
