"""Visiting the page with a real browser: fixtures, and what visitors do."""

import contextlib
import io
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Locator, Page, expect, sync_playwright

from nst.lab.bench.startup import chromium

WAIT = 60_000  # what is painted takes its time beside other work
LAPTOP = {"width": 1280, "height": 900}
SHORT, LONG = "?size=64&iterations=20", "?size=64&iterations=1000"
AT_WORK = re.compile(r"Painting · \d+ %.* left")

# A browser that shares files, as telephones' do.
SHARES = """
navigator.canShare = (data) => Boolean(data.files);
navigator.share = async (data) => {
  const [file] = data.files;
  window.shared = { title: data.title, name: file.name, type: file.type, size: file.size };
  if (window.refuses) throw new DOMException('no', window.refuses);
};
"""

# How far things move by themselves: https://web.dev/articles/cls, of which 0.1 is good.
SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: 'layout-shift', buffered: true });
"""

expect.set_options(timeout=WAIT)


@pytest.fixture(scope="session")
def demo() -> Iterator[Any]:
    """The one page of all tests that need no other, served in this process."""
    from served import serving

    with serving() as demo:
        yield demo


@pytest.fixture(scope="session")
def url(demo: Any) -> str:
    return demo.local_url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The one browser of all tests."""
    # Pages here live for seconds, too short for code that is compiled well.
    quiet = ["--js-flags=--no-turbofan --no-maglev", "--no-sandbox", "--disable-gpu"]
    quiet += ["--disable-background-networking", "--disable-component-update"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=quiet)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page(browser: Browser, url: str) -> Iterator[Page]:
    """The page of a new visitor, which each test of a file takes as the one before has left it.

    A request to anywhere else or an error in the console fails the last of them.
    """
    page = browser.new_page(viewport=LAPTOP, reduced_motion="reduce")
    page.set_default_timeout(WAIT)
    faults: list[str] = []
    page.on("request", lambda r: None if r.url.startswith((url, "data:", "blob:")) else faults.append(r.url))
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    # A page that is left while it reads a stream is told by Gradio that the stream is aborted.
    page.on("pageerror", lambda e: None if e.name == "AbortError" else faults.append(str(e)))
    open_page(page, url + SHORT)
    yield page
    page.close()
    assert faults == []


@contextlib.contextmanager
def visit(browser: Browser, url: str, script: str = "", **options: Any) -> Iterator[Page]:
    """Yield the page in a browser of its own, where a script runs before the page's."""
    context = browser.new_context(**{"viewport": LAPTOP, **options})
    context.set_default_timeout(WAIT)
    context.add_init_script(script)
    yield another_tab(context, url)
    context.close()


@pytest.fixture
def visitor(browser: Browser, url: str) -> Iterator[Callable[..., Page]]:
    """Return a function like `visit`, which takes what follows in the page's address."""
    with contextlib.ExitStack() as stack:
        yield lambda address="", script="", **options: stack.enter_context(
            visit(browser, urljoin(url, address), script, **options)
        )


def another_tab(context: BrowserContext, url: str) -> Page:
    """Open the page in a browser that is there already."""
    page = context.new_page()
    open_page(page, url)
    return page


def open_page(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator("#opening")).to_have_count(0)  # until then no key is heard
    expect(page.locator("#paint")).to_be_visible()
    expect(page.locator("#photo img").first).to_be_visible()
    expect(page.locator("#live .canvas")).to_have_attribute("src", re.compile("."))
    # What a link brings is there a moment after the page.
    for number in parse_qs(urlsplit(url).query).get("iterations", []):
        if number.isdigit():
            expect(page.locator("#iterations input[type=number]")).to_have_value(number)


def choose(page: Page, kind: str, example: str) -> None:
    """Choose an example as "photo" or "style", and see it there."""
    page.get_by_role("button", name=f"Use the {kind} {example}").click()
    expect(page.locator(f"#{kind} img").first).to_have_attribute("src", re.compile(example.lower()))


def make_link(page: Page, link: str | re.Pattern[str]) -> None:
    """Make the page's link, and see that it is so."""
    page.get_by_role("tab", name="Link and settings").click()
    page.locator("#make-link").click()
    expect(page.locator("#link textarea, #link input")).to_have_value(link)


def set_number(page: Page, name: str, value: float) -> None:
    field = page.locator(f"#{name} input[type=number]")
    field.fill(str(value))
    field.press("Tab")


def open_group(page: Page, title: str) -> None:
    group = page.get_by_role("button", name=title)
    if group.get_attribute("aria-expanded") == "false":
        group.click()
    expect(group).to_have_attribute("aria-expanded", "true")


def press(page: Page | FrameLocator, word: str) -> None:
    """Press the button when it says Paint or Stop, which it does a moment after a run has ended or begun."""
    page.locator("#paint", has_text=re.compile(f"^{word}$")).click()


def paint(page: Page | FrameLocator) -> None:
    """Paint to the end."""
    press(page, "Paint")
    expect(page.locator("#paint")).to_have_text("Paint")  # which is Stop until then
    expect(page.locator("#status")).to_contain_text("Your painting is ready")


def begin(page: Page) -> None:
    """Begin a painting, and see that it is under way."""
    press(page, "Paint")
    expect(page.locator("#status")).to_contain_text(AT_WORK)


def stop(page: Page) -> None:
    """Stop the painting, and see that another one may begin."""
    press(page, "Stop")
    expect(page.locator("#status")).to_contain_text("Stopped")
    expect(page.locator("#paint")).to_have_text("Paint")


def drop(page: Page, target: str, data: bytes, name: str = "photo.jpg") -> None:
    """Drop a file as the system hands it to the browser."""
    file = Path(tempfile.mkdtemp(), name)
    file.write_bytes(data)
    page.locator(target).first.scroll_into_view_if_needed()
    box = page.locator(target).first.bounding_box()
    held = {"items": [], "files": [str(file)], "dragOperationsMask": 1}
    event = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2, "data": held}
    browser = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        browser.send("Input.dispatchDragEvent", {"type": kind, **event})
    browser.detach()


def drag(surface: Locator, *points: tuple[float, float]) -> None:
    """Draw with the mouse from point to point, each in shares of an element's width and height."""
    surface.scroll_into_view_if_needed()
    box, mouse = surface.bounding_box(), surface.page.mouse
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    mouse.move(*places[0])
    mouse.down()
    for place in places[1:]:
        mouse.move(*place, steps=4)
    mouse.up()


def draw(page: Page, brush: str, role: str, *points: tuple[float, float]) -> None:
    """Draw with a role of a brush."""
    page.locator(f"{brush} button", has_text=role).click()
    drag(page.locator(f"{brush} canvas"), *points)


def drawn(page: Page, brush: str) -> int:
    """Return how many pixels of a brush's drawing are opaque."""
    return page.locator(f"{brush} canvas").evaluate(
        """canvas => {
          const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
          return pixels.filter((value, index) => index % 4 === 3 && value > 128).length }"""
    )


def finished(page: Page) -> str:
    """Return the source of the finished picture, which comes a moment after the word that it is finished."""
    canvas = page.locator("#live .canvas")
    expect(canvas).to_have_attribute("src", re.compile(r"painting-\w+\.png$"))
    return canvas.get_attribute("src")


def downloaded(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(downloads(page)))


def downloads(page: Page, name: str = "") -> bytes:
    """Return the file that is saved, whose name begins so."""
    with page.expect_download() as caught:
        page.locator("#download").click()
    assert caught.value.suggested_filename.startswith(name)
    return Path(caught.value.path()).read_bytes()


def card_of(page: bytes) -> dict[str, str]:
    """Return what is shown where a link to the page is posted."""
    found = re.findall(r'<meta (?:property|name)="((?:og|twitter):\w+)" content="([^"]*)"', page.decode())
    assert len(found) == len(dict(found))  # each once
    return dict(found)
