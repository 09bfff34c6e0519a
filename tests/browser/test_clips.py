"""A clip on the page: its forecast, the film so far, Stop and Continue, a reload, the film."""

import io
import re
from dataclasses import replace

import pytest
from clips import made_film
from PIL import Image
from playwright.sync_api import Page, expect
from served import LIMITS, serve
from visits import downloads, press

from nst.clips.reading import open_clip

FRAMES = 12


@pytest.fixture(scope="module")
def url():
    """A host that paints few frames of a clip."""
    with serve(replace(LIMITS, frames=FRAMES, clip_size=64)) as url:
        yield url


def test_a_clip_is_painted_stopped_gone_on_with_and_saved(page: Page, tmp_path):
    film = made_film(tmp_path / "sail.mp4", times=range(4 * FRAMES), sound="aac")  # longer than is painted
    with page.expect_file_chooser() as chooser:
        page.locator("#photo").get_by_label(re.compile("^Upload: ")).click()
    assert "video/mp4" in chooser.value.element.get_attribute("accept")
    chooser.value.set_files(film)
    expect(page.locator("#photo .fault")).to_have_text("The first 1.2 s of this clip are painted: 12 frames.")
    expect(page.locator("#forecast")).to_contain_text("12 frames · 64 × 43 px")  # noqa: RUF001
    # The film so far plays under the frame in work, until Stop.
    press(page, "Paint")
    expect(page.locator("#so-far img")).to_be_visible()
    press(page, "Stop")
    expect(page.locator("#status")).to_contain_text("Stopped at")
    expect(page.locator("#so-far img")).to_have_count(0)
    expect(page.locator("#live .canvas")).to_have_attribute("src", re.compile(r"painting-\w+\.webp$"))
    expect(page.locator("#jpeg, #copy")).to_have_count(0)
    begun = open_clip(downloads(page, "sail"))
    assert 2 <= begun.count < FRAMES
    # It comes back after a reload, and goes on from its last frame.
    page.reload()
    expect(page.locator("#continue")).to_be_visible()
    expect(page.locator("#forecast")).to_contain_text("12 frames")
    page.locator("#continue").click()
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    clip = open_clip(downloads(page, "sail"))
    assert (clip.count, clip.rate, clip.size) == (FRAMES, 10, (64, 42))
    # What the canvas shows moves, and so does what stands beside it.
    pictures = page.locator("#live .canvas, #compare img")
    for address in pictures.evaluate_all("images => images.map((image) => image.src)"):
        with Image.open(io.BytesIO(page.request.get(address).body())) as picture:
            assert picture.n_frames > FRAMES // 2  # of alike ones in a row one is kept
    page.get_by_role("tab", name="Time-lapse").click()
    expect(page.locator("#film video")).to_be_visible()
    # A frame is a picture.
    page.locator("#history button").nth(2).click()
    expect(page.locator("#status")).to_contain_text("Press Continue to go on from here")
    expect(page.locator("#copy")).to_have_count(1)
    # A clip is not cropped.
    page.get_by_role("button", name="Crop or rotate the photo").click()
    page.locator("#crop .right").click()
    page.locator("#crop .use").click()
    expect(page.locator("#crop").get_by_role("alert")).to_contain_text(
        "A clip cannot be cropped or rotated here"
    )
