"""A part of the photo, or the photo turned, takes its place."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pictures import jpeg
from playwright.sync_api import Page, expect
from visits import drag, drop, paint
from waiting import eventually

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
        ([0, 0, 1, True], 0),
        ([0, 0, 1, 1], 0.5),
        ([0, 0, 0.1, 1], 0),
        ([0.6, 0, 0.4, 1], 0),
    ],
)
def test_what_is_no_part_or_too_small_is_a_sentence(box, turns):
    with pytest.raises(InputError, match=r"^(Which part to keep cannot be read|That part is too small).*\.$"):
        part(PIXELS, box, turns)


def size_of(page: Page, card: str = "photo") -> list[int]:
    """Return width and height of the picture on a card, which are 0 until it has come."""
    return page.locator(f"#{card} img").first.evaluate("e => [e.naturalWidth, e.naturalHeight]")


def test_a_photo_is_turned_and_a_part_of_it_takes_its_place(page: Page):
    before = page.locator("#photo img").first.get_attribute("src")
    dialog = page.get_by_role("dialog")
    page.get_by_role("button", name="Crop or rotate the photo").click()
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_be_hidden()
    assert page.locator("#photo img").first.get_attribute("src") == before
    # Turned, in the wanted shape, moved to the edge by the keyboard.
    page.get_by_role("button", name="Crop or rotate the photo").click()
    dialog.get_by_role("button", name="Rotate right").click()
    dialog.get_by_label("Shape").select_option(label="16 : 9")
    dialog.locator(".part").focus()
    for _ in range(20):
        page.keyboard.press("ArrowUp")
    dialog.get_by_role("button", name="Crop photo").click()
    expect(dialog).to_be_hidden()
    eventually(lambda: size_of(page) == [720, 405])


def test_a_part_is_drawn_moved_and_stretched_by_hand(page: Page):
    drop(page, "#photo img", jpeg(200, 100))
    eventually(lambda: size_of(page) == [200, 100])
    page.get_by_role("button", name="Crop or rotate the photo").click()
    frame, area = page.locator("#crop .frame"), page.locator("#crop .part")
    expect(frame).to_be_visible()

    def chosen() -> list[float]:
        bounds, box = frame.bounding_box(), area.bounding_box()
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
    area.focus()
    for _ in range(60):
        page.keyboard.press("Shift+ArrowLeft")
    for _ in range(2):
        page.locator("#crop .use").click()
        expect(page.locator("#crop").get_by_role("alert")).to_contain_text("That part is too small to paint")
    drag(frame, (0.02, 0.9), (0.2, 0.2))  # another one
    assert chosen() == pytest.approx([0.02, 0.2, 0.18, 0.7], abs=0.03)
    page.locator("#crop .use").click()
    eventually(lambda: size_of(page) == pytest.approx([36, 70], abs=4))


def test_a_part_of_the_style_takes_its_place_and_is_painted_with(page: Page):
    before = size_of(page)
    page.get_by_role("button", name="Crop or rotate the style").click()
    expect(page.locator("#crop-style select option:checked")).to_have_text("Any")
    page.locator("#crop-style select").select_option(label="Square")
    page.locator("#crop-style .use").click()
    eventually(lambda: size_of(page, "style")[0] == size_of(page, "style")[1] > 0)
    assert size_of(page) == before
    paint(page)
