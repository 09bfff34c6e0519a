"""Make the pictures of the page and of README from the app itself.

Run as `python examples/make_page.py`; it needs tests/requirements.txt and a Chromium. It paints what every
two examples become, then visits the page as anybody would: a screenshot,
the film of the painting, and before and after.
"""

from __future__ import annotations

import itertools
import shutil
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from nst import Settings, stylize
from nst.page.gallery import finished_file, photos, styles, title
from nst.page.server import served
from nst.runs.limits import Limits

HERE = Path(__file__).parent
OUT = HERE / "page"
PAIR = ("matterhorn", "starry_night")
PATIENCE = 300_000


def paint(photo: Path, style: Path, **settings: Any) -> Image.Image:
    """Return two examples, painted."""
    *_, frame = stylize(photo, style, Settings(encoder="narrow", **settings))
    return Image.fromarray(frame.image)


def visit(page: Page, url: str) -> None:
    """Paint another pair on the page; keep what is seen and what can be downloaded."""
    page.goto(f"{url}?size=1024")
    for kind, examples, name in (("photo", photos(), PAIR[0]), ("style", styles(), PAIR[1])):
        named = next(title(example) for example in examples if example.stem == name)
        page.get_by_role("button", name=f"Use the {kind} {named}").click()
    page.wait_for_timeout(1500)
    page.locator("#paint").click()
    page.wait_for_function(
        "() => /is ready/.test(document.querySelector('#status').innerText)", timeout=PATIENCE
    )
    page.wait_for_timeout(1500)
    shot = OUT / "page.png"
    page.screenshot(path=shot)
    Image.open(shot).convert("RGB").save(shot.with_suffix(".jpg"), quality=88)
    shot.unlink()
    with page.expect_download() as finished:
        page.locator("#download").click()
    page.get_by_role("tab", name="Time-lapse").click()
    page.wait_for_selector("#film video", timeout=PATIENCE)
    with page.expect_download() as film:
        page.locator("#webp").click()
    shutil.copy(film.value.path(), OUT / "time_lapse.webp")
    side_by_side(Path(finished.value.path())).save(OUT / "before_after.jpg", quality=88)


def side_by_side(painting: Path) -> Image.Image:
    """Return photo, style and painting in a row."""
    files = (HERE / "photos" / f"{PAIR[0]}.jpg", HERE / "styles" / f"{PAIR[1]}.jpg", painting)
    height, gap = 300, 8
    pictures = []
    for file in files:
        with Image.open(file) as picture:
            size = (round(picture.width * height / picture.height), height)
            pictures.append(picture.convert("RGB").resize(size, Image.Resampling.LANCZOS))
    row = Image.new("RGB", (sum(p.width + gap for p in pictures) - gap, height), "white")
    left = 0
    for picture in pictures:
        row.paste(picture, (left, 0))
        left += picture.width + gap
    return row


def main() -> None:
    """Make all of them."""
    OUT.mkdir(exist_ok=True)
    for photo, style in itertools.product(photos(), styles()):
        file = finished_file(photo, style)
        file.parent.mkdir(exist_ok=True)
        paint(photo, style, size=1024).save(file, quality=80, optimize=True, progressive=True)
    installed = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with served(Limits.of_host(), quiet=True) as demo, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed, args=["--no-sandbox"])
        visit(browser.new_page(viewport={"width": 1280, "height": 860}), demo.local_url)
        browser.close()


if __name__ == "__main__":
    main()
