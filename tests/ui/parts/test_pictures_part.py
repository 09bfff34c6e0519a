"""Pictures come to their cards: dropped, pasted, chosen, whatever they are called."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from conftest import picture
from PIL import Image
from playwright.sync_api import Page, expect
from visits import downloaded, open_group


def source(page: Page, card: str) -> str:
    return page.locator(f"#{card} img").first.get_attribute("src") or ""


def drop(page: Page, target: str, data: bytes, name: str, kind: str) -> bool:
    """Drop a file as a browser does; return whether the page has seen to it."""
    return page.evaluate(
        """([target, data, name, kind]) => {
          const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
          const transfer = new DataTransfer();
          transfer.items.add(new File([bytes], name, { type: kind }));
          const element = document.querySelector(target);
          const more = { bubbles: true, cancelable: true, composed: true };
          element.dispatchEvent(new DragEvent('dragover', { ...more, dataTransfer: transfer }));
          return !element.dispatchEvent(new DragEvent('drop', { ...more, dataTransfer: transfer })) }""",
        [target, base64.b64encode(data).decode(), name, kind],
    )


def jpeg(width: int = 90, height: int = 60) -> bytes:
    buffer = io.BytesIO()
    picture(width, height, seed=5).save(buffer, "JPEG")
    return buffer.getvalue()


def heic() -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(picture(90, 60, seed=5)).save(buffer, quality=90)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (jpeg(), "photo.jpg", "image/jpeg"),
        (heic(), "IMG_0001.HEIC", ""),
        (jpeg(), "without an ending", ""),
        (heic(), "renamed.jpg", "image/jpeg"),
    ],
)
def test_a_file_dropped_on_a_card_with_a_picture_takes_its_place(data, name, kind, page):
    before = source(page, "photo")
    assert drop(page, "#photo img", data, name, kind)
    expect(page.locator("#photo img").first).not_to_have_attribute("src", before)
    expect(page.locator("#forecast")).to_contain_text("256 × 171 px")  # noqa: RUF001
    # What is shown was made here of what was read here.
    page.wait_for_function("document.querySelector('#photo img').naturalWidth === 90")
    assert source(page, "photo").endswith("shown-of-upload.jpg")


@pytest.mark.link("size=64&iterations=20")
def test_paint_waits_for_a_photo_that_is_on_its_way(page):
    held = []
    page.route("**/gradio_api/upload", lambda route: held.append(route))
    assert drop(page, "#photo img", jpeg(), "photo.jpg", "image/jpeg")
    expect(page.locator("#photo")).to_have_class(re.compile("receiving"))
    page.locator("#paint").click()
    expect(page.locator("#paint")).to_have_text("Stop")
    page.wait_for_timeout(1000)
    assert "An example" in page.locator("#status").inner_text()
    # Stopped before anything has begun, and begun again.
    page.locator("#paint").click()
    expect(page.locator("#paint")).to_have_text("Paint")
    page.locator("#paint").click()
    expect(page.locator("#paint")).to_have_text("Stop")
    held[0].continue_()
    expect(page.locator("#status")).to_contain_text("Done in")
    assert downloaded(page).size == (64, 43)
    expect(page.locator("#photo")).not_to_have_class(re.compile("receiving"))


def test_a_file_that_is_dropped_beside_the_cards_changes_nothing(page):
    before = source(page, "photo"), source(page, "style"), page.url
    assert drop(page, "#live", jpeg(), "photo.jpg", "image/jpeg")
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
        base64.b64encode(jpeg()).decode(),
    )
    expect(page.locator("#photo img").first).not_to_have_attribute("src", before)
    assert source(page, "style") == style


def test_what_is_no_picture_is_said(page):
    before = source(page, "style")
    assert drop(page, "#style img", b"%PDF-1.7", "paper.pdf", "application/pdf")
    expect(page.locator("#style img").first).not_to_have_attribute("src", before)
    page.locator("#paint").click()
    expect(page.get_by_role("alert")).to_contain_text("The style picture is a PDF")


def test_the_card_shows_the_colours_that_are_painted(page, tmp_path: Path):
    """A TIFF, which Chromium shows nothing of."""
    import tifffile

    path = tmp_path / "linear.tif"
    tifffile.imwrite(path, np.full((60, 90, 3), 13 * 257, np.uint16), photometric="rgb")
    assert drop(page, "#photo img", path.read_bytes(), path.name, "image/tiff")
    page.wait_for_function("document.querySelector('#photo img').naturalWidth === 90")
    with page.expect_response(re.compile("shown-of-upload")) as caught:
        page.evaluate("fetch(document.querySelector('#photo img').src)")
    shown = np.asarray(Image.open(io.BytesIO(caught.value.body())))
    assert shown.mean() == pytest.approx(13, abs=1)


def test_a_start_of_ones_own_is_used_at_once(page):
    open_group(page, "Quality")
    page.locator("#start input[type=file]").first.set_input_files(
        {"name": "start", "mimeType": "", "buffer": jpeg()}
    )
    expect(page.locator("#start img").first).to_be_visible()
    expect(page.locator("#initial input[value=picture]")).to_be_checked()
