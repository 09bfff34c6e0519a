"""A part of the photo, or the photo turned, takes its place."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from pictures import encoded, jpeg, picture
from PIL import Image
from playwright.sync_api import Page, expect
from visits import downloaded, drag, drop, paint

from nst.errors import InputError
from nst.page.parts.cropping import part

PIXELS = np.arange(60 * 80 * 3).reshape(60, 80, 3)


def test_it_is_turned_then_cut():
    assert np.array_equal(part(PIXELS, [0, 0, 1, 1], 0), PIXELS)
    assert np.array_equal(part(PIXELS, [0.25, 0, 1, 0.5], 0), PIXELS[:30, 20:])
    # A quarter to the right: what stood at the left is at the top.
    right = part(PIXELS, [0, 0, 1, 0.5], 1)
    assert right.shape == (40, 60, 3)
    assert np.array_equal(right[0], PIXELS[::-1, 0])
    assert np.array_equal(part(PIXELS, [0, 0, 1, 1], 3), np.rot90(PIXELS))
    assert np.array_equal(part(PIXELS, [-5, -1, 9, 2], 4), PIXELS)


@pytest.mark.parametrize(
    ("box", "turns"),
    [
        (None, 0),
        ([0, 0, 1], 0),
        ([0, 0, 1, "1"], 0),
        ([0, 0, 1, math.nan], 0),
        ([0, 0, math.inf, 1], 0),
        ([0, 0, 1, True], 0),
        ([0, 0, 1, 1], "1"),
        ([0, 0, 1, 1], True),
        ([0, 0, 1, 1], 0.5),
        ([0, 0, 0.1, 1], 0),
        ([0.6, 0, 0.4, 1], 0),
        ([2, 2, 3, 3], 0),
    ],
)
def test_what_is_no_part_or_too_small_is_a_sentence(box, turns):
    with pytest.raises(InputError, match=r"^(Which part to keep cannot be read|That part is too small).*\.$"):
        part(PIXELS, box, turns)


def wait_for_width(page: Page, condition: str) -> None:
    """Wait until the photo on its card has come, 0 wide until then, and a condition holds for its width."""
    width = "document.querySelector('#photo img')?.naturalWidth"
    page.wait_for_function(f"(width => width > 0 && {condition})({width})")


def size_of(page: Page) -> list[int]:
    return page.locator("#photo img").first.evaluate("e => [e.naturalWidth, e.naturalHeight]")


@pytest.mark.link("size=64&iterations=20")
def test_a_part_of_the_photo_is_painted(page):
    before = page.locator("#photo img").first.get_attribute("src")
    page.get_by_role("button", name="Crop or rotate the photo").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    assert page.locator("#photo img").first.get_attribute("src") == before
    # Turned, in the wanted shape, moved to the edge by the keyboard.
    page.get_by_role("button", name="Crop or rotate the photo").click()
    dialog.get_by_role("button", name="Rotate right").click()
    dialog.get_by_label("Shape").select_option(label="16 : 9")
    area = dialog.locator(".part")
    area.focus()
    for _ in range(20):
        page.keyboard.press("ArrowUp")
    dialog.get_by_role("button", name="Crop photo").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#photo img").first).not_to_have_attribute("src", before)
    page.wait_for_function("document.querySelector('#photo img')?.naturalHeight === 405")
    assert size_of(page) == [720, 405]
    # The top of the turned mountain is the left of the upright one, cut from the file itself.
    paint(page)
    assert downloaded(page).size == (64, 36)


def test_a_part_is_drawn_moved_and_stretched_by_hand_and_keeps_transparency(shared_page):
    page = shared_page
    clear = picture(200, 100)
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    page.locator("#photo").get_by_label(re.compile("^Remove ")).first.click()
    file = {"name": "clear.png", "mimeType": "image/png", "buffer": encoded(clear, "PNG")}
    page.locator("#photo input[type=file]").first.set_input_files(file)
    wait_for_width(page, "width === 200")
    page.get_by_role("button", name="Crop or rotate the photo").click()
    frame = page.locator("#crop .frame")
    expect(frame).to_be_visible()
    bounds = frame.bounding_box()

    def chosen() -> list[float]:
        box = page.locator("#crop .part").bounding_box()
        return [
            (box["x"] - bounds["x"]) / bounds["width"],
            (box["y"] - bounds["y"]) / bounds["height"],
            box["width"] / bounds["width"],
            box["height"] / bounds["height"],
        ]

    drag(frame, (0.99, 0.99), (0.5, 0.5))  # its corner
    assert chosen() == pytest.approx([0, 0, 0.5, 0.5], abs=0.03)
    drag(frame, (0.25, 0.25), (0.5, 0.5))  # all of it
    assert chosen() == pytest.approx([0.25, 0.25, 0.5, 0.5], abs=0.03)
    drag(frame, (0.02, 0.9), (0.2, 0.2))  # another one
    assert chosen() == pytest.approx([0.02, 0.2, 0.18, 0.7], abs=0.03)
    page.locator("#crop .use").click()
    wait_for_width(page, "width < 50")
    width, height = size_of(page)
    assert (width, height) == (pytest.approx(36, abs=4), pytest.approx(70, abs=4))


def test_a_part_that_is_too_small_is_said_in_its_place(shared_page):
    page = shared_page
    assert drop(page, "#photo img", jpeg(40, 40))
    wait_for_width(page, "width === 40")
    page.get_by_role("button", name="Crop or rotate the photo").click()
    area = page.locator("#crop .part")
    area.focus()
    for _ in range(40):
        page.keyboard.press("Shift+ArrowLeft")
    for _ in range(2):
        page.locator("#crop .use").click()
        expect(page.locator("#crop").get_by_role("alert")).to_contain_text("That part is too small to paint")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert size_of(page) == [40, 40]


def test_a_part_of_the_style_takes_its_place_and_the_photo_stays(shared_page):
    page = shared_page
    before = size_of(page)
    page.get_by_role("button", name="Crop or rotate the style").click()
    page.locator("#crop-style select").select_option(label="Square")
    page.locator("#crop-style .use").click()
    page.wait_for_function(
        "() => { const i = document.querySelector('#style img');"
        " return i && i.naturalWidth && i.naturalWidth === i.naturalHeight }"
    )
    assert size_of(page) == before
    paint(page)
