"""Pictures come to their cards: dropped, pasted, chosen, whatever they are called."""

from __future__ import annotations

import re

import pytest
from pictures import encoded, jpeg, picture
from PIL import Image
from playwright.sync_api import Page, Request, Route, expect
from visits import choose, downloaded, drop, press

OWN = jpeg(90, 60, seed=5)
HEIC = encoded(picture(90, 60, seed=5), "HEIF", quality=90)
PLAIN, SMALL, LONG = (
    encoded(Image.new("RGB", size, "teal"), "PNG") for size in ((200, 150), (48, 40), (1200, 200))
)
HALF_CLEAR = Image.merge("LA", [Image.linear_gradient("L").resize((200, 150))] * 2)


def source(page: Page, card: str) -> str:
    return page.locator(f"#{card} img").first.get_attribute("src") or ""


def wait_for_another(page: Page, card: str, before: str) -> None:
    expect(page.locator(f"#{card} img").first).not_to_have_attribute("src", before)
    expect(page.locator(f"#{card}")).not_to_have_class(re.compile("receiving"))


def wait_for_width(page: Page, width: int) -> None:
    """What is shown was made here of what was read here."""
    page.wait_for_function(f"document.querySelector('#photo img')?.naturalWidth === {width}")


@pytest.mark.parametrize(
    ("data", "name", "width", "said"),
    [
        (OWN, "photo.jpg", 90, []),
        (HEIC, "IMG_0001.HEIC", 90, []),
        (OWN, "without an ending", 90, []),
        (HEIC, "renamed.jpg", 90, []),
        (PLAIN, "a.png", 200, []),
        (SMALL, "a.png", 48, ["only 48 × 40 pixels; a larger one paints sharper"]),  # noqa: RUF001
        (LONG, "a.png", 1024, ["very long; crop it"]),
        (encoded(HALF_CLEAR, "PNG"), "a.png", 200, ["Transparent parts become white"]),
        (jpeg(300, 300)[:-400], "a.jpg", 300, ["This file breaks off early: "]),
    ],
)
def test_a_file_dropped_on_a_card_takes_its_place_and_what_is_better_known_is_said(
    data, name, width, said, page
):
    before = source(page, "photo")
    drop(page, "#photo img", data, name)
    wait_for_another(page, "photo", before)
    wait_for_width(page, width)
    assert source(page, "photo").endswith("shown.jpg")
    alerts = [re.compile(each) for each in said]
    expect(page.locator("#photo").get_by_role("alert")).to_have_text(alerts)


def test_paint_waits_for_a_photo_that_is_on_its_way(page: Page):
    choose(page, "photo", "Rocket")
    held: list[Route] = []
    page.route("**/gradio_api/upload", lambda route: held.append(route))
    drop(page, "#photo img", jpeg(60, 120))
    expect(page.locator("#photo")).to_have_class(re.compile("receiving"))
    press(page, "Paint")
    # Stopped before anything has begun, and begun again.
    press(page, "Stop")
    press(page, "Paint")
    expect(page.locator("#paint")).to_have_text("Stop")
    held[0].continue_()
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    assert downloaded(page).size == (32, 64)
    expect(page.locator("#photo")).not_to_have_class(re.compile("receiving"))
    page.unroute_all()


def test_two_files_at_once_both_arrive_and_one_beside_the_cards_changes_nothing(page: Page):
    before, address = {card: source(page, card) for card in ("photo", "style")}, page.url
    uploads: list[Request] = []
    page.on("request", lambda request: uploads.append(request) if request.url.endswith("/upload") else None)
    for target in ("#live", "#photo img", "#style img"):
        drop(page, target, PLAIN, "a.png")
    for card, src in before.items():
        wait_for_another(page, card, src)
    expect(page.locator(".fault")).to_have_count(0)
    assert (page.url, len(uploads)) == (address, 2)


def test_what_is_no_picture_is_said_on_its_card_and_costs_nothing(page: Page):
    before = source(page, "style")
    for _ in range(2):  # the same once more is said once more
        drop(page, "#style img", b"%PDF-1.7", "paper.pdf")
        expect(page.locator("#style")).not_to_have_class(re.compile("receiving"))
        expect(page.locator("#style").get_by_role("alert")).to_have_text(
            "This file is a PDF; export it as PNG and use that."
        )
    assert source(page, "style") == before
    expect(page.locator(".fault")).to_have_count(1)
    drop(page, "#style img", jpeg(), "painting.jpg")
    wait_for_another(page, "style", before)
    expect(page.locator(".fault")).to_have_count(0)


def test_upload_opens_a_chooser_and_keeps_the_picture_until_another_is_there(page: Page):
    button = page.locator("#photo .source-selection button").first
    for key in (" ", "Enter"):
        before = source(page, "photo")
        with page.expect_file_chooser() as chooser:
            button.press(key)
        chooser.value.set_files([])  # thought better of it
        assert source(page, "photo") == before
        with page.expect_file_chooser() as chooser:
            button.click()
        chooser.value.set_files([{"name": "a\u202fphoto.jpg", "mimeType": "image/jpeg", "buffer": OWN}])
        wait_for_another(page, "photo", before)


def test_camera_and_clipboard_are_used_and_it_is_said_if_they_cannot(page: Page):
    before, said = source(page, "photo"), page.locator("#photo").get_by_role("alert")
    paste = page.get_by_role("button", name="Paste: photo")
    paste.click()
    expect(said).to_contain_text("Your browser blocked the clipboard")
    assert source(page, "photo") == before  # it is still there
    page.get_by_role("button", name="Camera: photo").click()
    # Neither an error in the console, which the fixture would see.
    expect(said).to_contain_text(re.compile("blocked the camera|No camera was found"))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("navigator.clipboard.writeText('a word')")
    paste.click()
    expect(said).to_contain_text("No picture in the clipboard")
    page.evaluate(
        """async () => {
          const canvas = new OffscreenCanvas(90, 60);
          canvas.getContext('2d').fillRect(20, 20, 30, 20);
          const picture = await canvas.convertToBlob();
          await navigator.clipboard.write([new ClipboardItem({ 'image/png': picture })]) }"""
    )
    paste.click()
    wait_for_another(page, "photo", before)
    expect(page.locator("#photo .fault")).to_have_count(0)
    # What is pasted anywhere is the photo.
    before, style = source(page, "photo"), source(page, "style")
    page.keyboard.press("Control+V")
    wait_for_another(page, "photo", before)
    assert source(page, "style") == style
    page.context.clear_permissions()
