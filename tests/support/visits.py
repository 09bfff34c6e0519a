"""Visiting the page with a real browser: fixtures, and what visitors do."""

from __future__ import annotations

import base64
import contextlib
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Locator, Page, expect, sync_playwright
from unhurried import hurry_not

from nst.lab.bench.startup import chromium

if TYPE_CHECKING:
    from gradio import Blocks

WAIT = 60_000  # what is painted takes its time beside other work
LAPTOP = {"width": 1280, "height": 900}
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

# Somebody who presses as soon as it can be read that the painting is ready.
PRESSES_AT_THE_END = """() => {
  const status = document.querySelector('#status'), button = document.querySelector('#paint');
  new MutationObserver((_, observer) => {
    if (!/is ready/.test(status.innerText)) return;
    observer.disconnect();
    requestAnimationFrame(() => requestAnimationFrame(() => {  // when it can be read
      window.said = button.textContent;
      button.click();
    }));
  }).observe(status, { subtree: true, childList: true, characterData: true });
}"""

expect.set_options(timeout=WAIT)


@pytest.fixture(scope="session")
def demo() -> Iterator[Blocks]:
    """The one page of all tests that need no other, served in this process."""
    from served import serving

    with serving() as demo:
        yield demo


@pytest.fixture(scope="session")
def url(demo: Blocks) -> str:
    return demo.local_url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The one browser of all tests."""
    # Pages here live for seconds, too short for code that is compiled well.
    quiet = [
        "--js-flags=--no-turbofan --no-maglev",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=quiet)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A window that has what the page is made of already, as a visitor's who comes again."""
    context = browser.new_context(viewport=LAPTOP, reduced_motion="reduce")
    context.set_default_timeout(WAIT)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, url: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page, loaded; a request to anywhere else or an error in the console fails the test.

    With the marker `link` it is opened by a link with these settings.
    """
    link = request.node.get_closest_marker("link")
    with flawless(context, url) as page:
        open_page(page, url + (f"?{link.args[0]}" if link else ""))
        yield page
        page.evaluate("() => { localStorage.clear(); sessionStorage.clear() }")
        context.clear_cookies()


@pytest.fixture(scope="module")
def shared_page(browser: Browser, url: str) -> Iterator[Page]:
    """One page for those tests of a file that take it as the others have left it."""
    context = browser.new_context(viewport=LAPTOP, reduced_motion="reduce")
    context.set_default_timeout(WAIT)
    with flawless(context, url) as page:
        open_page(page, url + "?size=64&iterations=20")
        yield page
    context.close()


@contextlib.contextmanager
def flawless(context: BrowserContext, url: str) -> Iterator[Page]:
    """Yield a new page, which must ask nobody but this host, and write no error into the console."""
    page = context.new_page()
    faults: list[str] = []
    page.on("request", lambda r: None if r.url.startswith((url, "data:", "blob:")) else faults.append(r.url))
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda e: faults.append(str(e)))
    yield page
    page.close()
    assert faults == []


@pytest.fixture
def visitor(browser: Browser, url: str) -> Iterator[Callable[..., Page]]:
    """Return a function that opens the page in a browser of its own.

    It takes what follows in the page's address, a script that runs first, and what Playwright takes for a new
    browser.
    """
    with contextlib.ExitStack() as stack:

        def come(address: str = "", script: str = "", **options: Any) -> Page:
            context = browser.new_context(**options)
            stack.callback(context.close)
            context.set_default_timeout(WAIT)
            context.add_init_script(script)
            return another_tab(context, urljoin(url, address))

        yield come


def another_tab(context: BrowserContext, url: str) -> Page:
    """Open the page in a browser that is there already."""
    page = context.new_page()
    open_page(page, url)
    return page


@contextlib.contextmanager
def unhurried_host() -> Iterator[None]:
    """Let every iteration take a moment in which the machine is free: runs last by the clock."""
    from nst.optimization.rollback import GuardedOptimizer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GuardedOptimizer, "step", GuardedOptimizer.step)  # to be as it was afterwards
        hurry_not()
        yield


@pytest.fixture
def unhurried() -> Iterator[None]:
    """A host whose runs last long and take little of the machine."""
    with unhurried_host():
        yield


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


def set_number(page: Page, name: str, value: float) -> None:
    field = page.locator(f"#{name} input[type=number]")
    field.fill(str(value))
    field.press("Tab")


def open_group(page: Page, title: str) -> None:
    page.get_by_role("button", name=title, exact=False).click()
    # What is typed into a slider that has just appeared was seen to be lost; nobody is that fast but a test.
    page.wait_for_timeout(400)


def upload(page: Page, name: str, path: Path) -> None:
    before = page.locator(f"#{name} img").first.get_attribute("src")
    with page.expect_file_chooser() as chooser:
        page.locator(f"#{name}").get_by_label(re.compile("^Upload: ")).click()
    chooser.value.set_files(path)
    expect(page.locator(f"#{name} img").first).to_be_visible()
    expect(page.locator(f"#{name} img").first).not_to_have_attribute("src", before or "")


def press_paint(page: Page | FrameLocator) -> None:
    """Press the button when it says Paint, which a moment after a run's end still says Stop."""
    page.locator("#paint", has_text=re.compile("^Paint$")).click()


def press_stop(page: Page) -> None:
    """Press it when it says Stop."""
    page.locator("#paint", has_text=re.compile("^Stop$")).click()


def paint(page: Page | FrameLocator) -> None:
    """Paint to the end."""
    press_paint(page)
    expect(page.locator("#status")).to_contain_text("Your painting is ready")


def begin(page: Page) -> None:
    """Begin a painting, and see that it is under way."""
    press_paint(page)
    expect(page.locator("#status")).to_contain_text(AT_WORK)


def stop(page: Page) -> None:
    """Stop the painting, and see that another one may begin."""
    press_stop(page)
    expect(page.locator("#status")).to_contain_text("Stopped")
    expect(page.locator("#paint")).to_have_text("Paint")


def drop(page: Page, target: str, data: bytes, name: str = "photo.jpg", kind: str = "image/jpeg") -> bool:
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


def shown(page: Page) -> str:
    return page.locator("#live .canvas").get_attribute("src") or ""


def finished(page: Page) -> str:
    """Return the source of the finished picture, which comes a moment after the word that it is finished."""
    expect(page.locator("#live .canvas")).to_have_attribute("src", re.compile(r"painting-\w+\.png$"))
    return shown(page)


def downloaded(page: Page) -> Image.Image:
    with page.expect_download() as caught:
        page.locator("#download").click()
    return Image.open(io.BytesIO(Path(caught.value.path()).read_bytes()))


def card_of(page: bytes) -> dict[str, str]:
    """Return what is shown where a link to the page is posted."""
    found = re.findall(r'<meta (?:property|name)="((?:og|twitter):\w+)" content="([^"]*)"', page.decode())
    assert len(found) == len(dict(found))  # each once
    return dict(found)
