"""The page's HTML as a browser on a slow line gets it."""

import gzip
import io
import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import brotli
import pytest
from PIL import Image
from playwright.sync_api import Browser, Route, expect
from strangers import Stranger
from visits import SHIFTS, SHORT, card_of, paint

from nst.gradio_faults import assets
from nst.page.gallery import THUMBNAIL_COUNT, all_finished, finished_file, photos, place, styles
from nst.page.layout import TITLE


def fetched(url: str, path: str = "/", **headers: str) -> tuple[bytes, dict[str, str]]:
    status, answered, body = Stranger(url, "").ask("GET", path, headers=headers)
    assert status == 200
    return body, answered


def without_nonce(page: bytes) -> bytes:
    return re.sub(rb'nonce="[^"]*"', b"", page)


def test_it_is_packed_for_whoever_takes_it_so(url):
    ways = (("gzip, br", "br", brotli.decompress), ("BR;q=0, GZip ;q=0.5", "gzip", gzip.decompress))
    files = {path: ("text/css" if path.endswith("css") else "text/javascript") for path in assets.files()}
    for path, kind in {"/": "text/html", **files}.items():
        plain, headers = fetched(url, path, **{"Accept-Encoding": "identity"})
        assert headers["content-type"].startswith(kind)
        for taken, way, unpack in ways:
            packed, headers = fetched(url, path, **{"Accept-Encoding": taken})
            assert (headers["content-encoding"], headers["vary"]) == (way, "Accept-Encoding")
            assert without_nonce(unpack(packed)) == without_nonce(plain), (path, taken)
            assert path != "/" or len(packed) < {"br": 25_000, "gzip": 34_000}[way]
        # As Gradio has it.
        assert path in ("/", assets.PATH) or plain == (assets.FOLDER / path.rsplit("/", 1)[-1]).read_bytes()
    for taken in ("br;q=0.0", "zebra, gzipped", ";;,"):
        assert "content-encoding" not in fetched(url, **{"Accept-Encoding": taken})[1]


def test_all_thumbnails_are_one_file_and_every_two_examples_are_painted(url):
    (address,) = set(re.findall(rb'--thumbnails: url\("([^"]*)"\)', fetched(url)[0]))
    data, headers = fetched(url, address.decode())
    assert headers["cache-control"] == "max-age=86400"
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.width == THUMBNAIL_COUNT * picture.height
    assert [place(example) for example in (*photos(), *styles())] == list(range(THUMBNAIL_COUNT))
    assert sorted(finished_file(photo, style) for photo in photos() for style in styles()) == all_finished()


@pytest.mark.parametrize(
    ("query", "named", "pair"),
    [
        ("?photo=rocket&style=marbling", "?photo=rocket&amp;style=marbling", "rocket-marbling"),
        ("?style=marbling&style_weight=7&x=y", "?style_weight=7&amp;style=marbling", "matterhorn-marbling"),
        ("?photo=/etc/passwd&style=%22%3E%3Cscript%3E&size=1e9", "", "matterhorn-starry_night"),
        ("?" + "a=1&" * 900 + "photo=%ff%fe&style", "", "matterhorn-starry_night"),
    ],
)
def test_a_link_of_examples_has_a_card_of_what_they_become(url, query, named, pair):
    page, _ = fetched(url, "/" + query)
    card = card_of(page)
    assert card["og:title"] == card["twitter:title"] == TITLE
    assert re.findall("<title>(.*?)</title>", page.decode()) == [TITLE]
    assert card["og:url"] == url + named
    assert card["og:image"] == card["twitter:image"] == f"{url}card/{pair}.jpg"
    picture, _ = fetched(url, f"/card/{pair}.jpg")
    assert Image.open(io.BytesIO(picture)).format == "JPEG"


@pytest.mark.parametrize(("proto", "scheme"), [("https,http", "https"), ("x", "http")])
def test_a_card_has_the_address_that_each_visitor_behind_a_proxy_used(url, proto, scheme):
    def seen(number: int) -> str:
        host = {"X-Forwarded-Host": f"paint{number % 2}.example.org", "X-Forwarded-Proto": proto}
        return card_of(fetched(url, **{"X-Forwarded-For": f"8.8.8.{number}"}, **host)[0])["og:url"]

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(seen, range(8))) == [f"{scheme}://paint{n}.example.org/" for n in (0, 1)] * 4
    # A host's name cannot write into the page.
    assert b"alert(1)" not in fetched(url, **{"X-Forwarded-Host": 'evil"><script>alert(1)</script>'})[0]


def test_all_is_asked_for_once_and_nothing_can_be_pressed_or_moves_before_it_is_there(browser: Browser, url):
    """If Gradio's version has changed: gradio_faults/assets.txt names what is missing here, in this order."""
    page = browser.new_page(viewport={"width": 1366, "height": 650})
    page.add_init_script(SHIFTS)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    held: list[Route] = []
    page.route(re.compile(r"/scripts\.js\?"), lambda route: held.append(route))
    page.goto(url + SHORT, wait_until="commit")
    expect(page.locator("#opening")).to_contain_text("Painted live")
    expect(page.locator("#after")).to_have_count(1)  # all of Gradio is there, but not our own script
    page.keyboard.press("Tab")  # there is nothing to be reached by keys yet
    assert page.evaluate("document.activeElement === document.body")
    held[0].continue_()
    page.wait_for_function("!document.querySelector('#opening')", polling="raf")
    page.keyboard.press("Tab")  # at once, by somebody in a hurry
    assert page.evaluate("document.activeElement.className") == "skip"
    expect(page.locator("#paint")).to_be_in_viewport(ratio=1)  # with nothing to scroll
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.shifted") < 0.05
    names = [path.rsplit("/", 1)[-1] for path in asked if "/assets/" in path]
    own_sheet = re.search(rb'href="\./assets/(index-[^"]*\.css)"', fetched(url)[0]).group(1).decode()
    wanted = {name for name in assets.listed() if name.endswith(".js")} | {own_sheet}
    assert (set(names) - wanted, wanted - set(names), len(names)) == (set(), set(), len(wanted))
    assert len(held) == asked.count("/assets.css") == 1
    # What makes a page fit a frame, only in one.
    expect(page.locator("script[src*=iframeResizer]")).to_have_count(0)
    paint(page)
    page.close()
