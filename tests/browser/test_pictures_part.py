"""Pictures come to their cards, and are cropped there."""

import math
import re

import numpy as np
import pytest
from pictures import encoded, jpeg, picture
from PIL import Image
from playwright.sync_api import Page, Request, Route, expect
from visits import choose, downloaded, drag, drop, paint, press
from waiting import eventually

from nst.errors import InputError
from nst.page.parts.cropping import part

OWN = jpeg(90, 60, seed=5)
HEIC = encoded(picture(90, 60, seed=5), "HEIF", quality=90)
SMALL, LONG = (encoded(Image.new("RGB", size, "teal"), "PNG") for size in ((48, 40), (1200, 200)))
FTYP = b"\0\0\0\x18ftypisom" + bytes(400)  # how an MP4 begins
HALF_CLEAR = Image.merge("LA", [Image.linear_gradient("L").resize((200, 150))] * 2)
PIXELS = np.arange(60 * 80 * 3).reshape(60, 80, 3)


def source(page: Page, card: str) -> str:
    return page.locator(f"#{card} img").first.get_attribute("src") or ""


def size_of(page: Page, card: str = "photo") -> list[int]:
    """Return width and height of the picture on a card, which are 0 until it has come."""
    return page.locator(f"#{card} img").first.evaluate("e => [e.naturalWidth, e.naturalHeight]")


def wait_for_another(page: Page, card: str, before: str) -> None:
    expect(page.locator(f"#{card} img").first).not_to_have_attribute("src", before)
    expect(page.locator(f"#{card}")).not_to_have_class(re.compile("receiving"))


def test_a_part_is_turned_then_cut_and_what_is_none_is_a_sentence():
    assert np.array_equal(part(PIXELS, [0.25, 0, 1, 0.5], 0), PIXELS[:30, 20:])
    # A quarter to the right: what stood at the left is at the top.
    right = part(PIXELS, [0, 0, 1, 0.5], 1)
    assert right.shape == (40, 60, 3)
    assert np.array_equal(right[0], PIXELS[::-1, 0])
    assert np.array_equal(part(PIXELS, [-5, -1, 9, 2], 4), PIXELS)
    for box in (None, [0, 0, 1, "1"], [0, 0, 1, math.nan], [0, 0, 0.1, 1], [0.6, 0, 0.4, 1]):
        with pytest.raises(InputError, match=r"^(Which part to keep cannot|That part is too small).*\.$"):
            part(PIXELS, box, 0)


@pytest.mark.parametrize(
    ("data", "name", "width", "note"),
    [
        (OWN, "a\u202fphoto without an ending", 90, ""),
        (HEIC, "renamed.jpg", 90, ""),
        (SMALL, "a.png", 48, "only 48 × 40 pixels; a larger one paints sharper"),  # noqa: RUF001
        (LONG, "a.png", 1024, "very long; crop it"),
        (b"%PDF-1.7", "paper.pdf", 0, "This file is a PDF; export it as PNG and use that."),
        (FTYP, "a.mp4", 0, "This file cannot be read as a clip; save it as MP4 with H.264."),
        (encoded(HALF_CLEAR, "PNG"), "a.png", 200, "Transparent parts become white"),
        (jpeg(300, 300)[:-400], "a.jpg", 300, "This file breaks off early: "),
    ],
)
def test_a_dropped_file_takes_its_place_or_changes_nothing_and_what_is_to_be_known_is_said(
    data, name, width, note, page
):
    before, card = source(page, "photo"), page.locator("#photo")
    drop(page, "#photo img", data, name)
    expect(card).not_to_have_class(re.compile("receiving"))
    expect(card.get_by_role("alert")).to_have_text([re.compile(note)] if note else [])
    assert (source(page, "photo") != before) is bool(width)
    if width:  # what is shown was made here of what was read here
        eventually(lambda: size_of(page)[0] == width)


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
    page.unroute_all()


def test_two_files_at_once_both_arrive_and_one_beside_the_cards_changes_nothing(page: Page):
    before, address = {card: source(page, card) for card in ("photo", "style")}, page.url
    uploads: list[Request] = []
    page.on("request", lambda request: uploads.append(request) if request.url.endswith("/upload") else None)
    for target in ("#live", "#photo img", "#style img"):
        drop(page, target, OWN)
    for card, src in before.items():
        wait_for_another(page, card, src)
    expect(page.locator(".fault")).to_have_count(0)
    assert (page.url, len(uploads)) == (address, 2)


def test_chooser_camera_and_clipboard_are_used_and_it_is_said_if_they_cannot(page: Page):
    before, said = source(page, "photo"), page.locator("#photo").get_by_role("alert")
    for key in (" ", "Enter"):
        with page.expect_file_chooser() as chooser:
            page.locator("#photo").get_by_label(re.compile("^Upload: ")).press(key)
        chooser.value.set_files([])  # thought better of it
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
          await navigator.clipboard.write([new ClipboardItem({ 'image/png': canvas.convertToBlob() })]) }"""
    )
    paste.click()
    wait_for_another(page, "photo", before)
    expect(page.locator("#photo .fault")).to_have_count(0)
    # What is pasted anywhere is the photo.
    before, style = source(page, "photo"), source(page, "style")
    page.keyboard.press("Control+V")
    wait_for_another(page, "photo", before)
    assert source(page, "style") == style


def test_a_photo_is_turned_and_a_part_is_drawn_moved_and_stretched(page: Page):
    choose(page, "photo", "Matterhorn")
    before, dialog = source(page, "photo"), page.get_by_role("dialog")
    crop = page.get_by_role("button", name="Crop or rotate the photo")
    crop.click()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    assert source(page, "photo") == before
    # Turned, in the wanted shape, moved to the edge by the keyboard.
    crop.click()
    dialog.get_by_role("button", name="Rotate right").click()
    dialog.get_by_label("Shape").select_option(label="16 : 9")
    dialog.locator(".part").focus()
    for _ in range(20):
        page.keyboard.press("ArrowUp")
    dialog.get_by_role("button", name="Crop photo").click()
    expect(dialog).to_be_hidden()
    eventually(lambda: size_of(page) == [720, 405])
    # By hand.
    drop(page, "#photo img", jpeg(200, 100))
    eventually(lambda: size_of(page) == [200, 100])
    crop.click()
    frame, area = page.locator("#crop .frame"), page.locator("#crop .part")
    expect(frame).to_be_visible()

    def chosen() -> list[float]:
        """Return its left and top edges, width and height in percent of the photo's."""
        return [float(number) for number in re.findall(r"[\d.]+(?=%)", area.get_attribute("style"))]

    drag(frame, (0.99, 0.99), (0.5, 0.5))  # its corner
    assert chosen() == pytest.approx([0, 0, 50, 50], abs=3)
    drag(frame, (0.25, 0.25), (0.5, 0.5))  # all of it
    assert chosen() == pytest.approx([25, 25, 50, 50], abs=3)
    area.focus()
    for _ in range(60):
        page.keyboard.press("Shift+ArrowLeft")
    page.locator("#crop .use").click()
    expect(page.locator("#crop").get_by_role("alert")).to_contain_text("That part is too small to paint")
    drag(frame, (0.02, 0.9), (0.2, 0.2))  # another one
    assert chosen() == pytest.approx([2, 20, 18, 70], abs=3)
    page.locator("#crop .use").click()
    eventually(lambda: size_of(page) == pytest.approx([36, 70], abs=4))
    # So does a part of the style.
    page.get_by_role("button", name="Crop or rotate the style").click()
    page.locator("#crop-style select").select_option(label="Square")
    page.locator("#crop-style .use").click()
    eventually(lambda: size_of(page, "style")[0] == size_of(page, "style")[1] > 0)
    paint(page)
