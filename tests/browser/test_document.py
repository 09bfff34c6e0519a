"""The page's HTML as a browser on a slow line gets it."""

from __future__ import annotations

import gzip
import io
import re
from concurrent.futures import ThreadPoolExecutor

import brotli
import pytest
from conftest import ROOT
from PIL import Image
from playwright.sync_api import Browser, Route, expect
from served import serve
from strangers import Stranger
from visits import SHIFTS, card_of

from nst.gradio_faults import assets
from nst.page.gallery import THUMBNAIL_COUNT, photos, place, styles, thumbnails
from nst.page.layout import PROMISE, TITLE


def fetched(url: str, path: str = "/", **headers: str) -> tuple[bytes, dict[str, str]]:
    status, answered, body = Stranger(url, "").ask("GET", path, headers=headers)
    assert status == 200
    return body, answered


def test_it_is_packed_for_whoever_takes_it_so(url):
    plain, headers = fetched(url)
    assert "content-encoding" not in headers
    nonce = rb'nonce="[^"]*"'
    for taken, way, unpack, most in (
        ("gzip, br", "br", brotli.decompress, 25_000),
        ("gzip", "gzip", gzip.decompress, 34_000),
        ("BR;q=0, GZip ;q=0.5", "gzip", gzip.decompress, 34_000),
    ):
        packed, headers = fetched(url, **{"Accept-Encoding": taken})
        assert headers["content-encoding"] == way
        assert headers["vary"] == "Accept-Encoding"
        assert re.sub(nonce, b"", unpack(packed)) == re.sub(nonce, b"", plain)
        assert len(packed) < most
    for taken in ("identity", "br;q=0.0", "zebra, gzipped", ";;,"):
        assert "content-encoding" not in fetched(url, **{"Accept-Encoding": taken})[1]
    assert b"data:image/jpeg" not in plain  # pictures are files, which a browser keeps


def test_all_thumbnails_are_one_file(url):
    (address,) = set(re.findall(rb'--thumbnails: url\("([^"]*)"\)', fetched(url)[0]))
    data, headers = fetched(url, address.decode())
    assert data == thumbnails()
    assert headers["cache-control"] == "max-age=86400"
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.width == THUMBNAIL_COUNT * picture.height
    assert [place(example.path) for example in photos()] == list(range(len(photos())))
    assert place(styles()[0].path) == len(photos())


def test_what_the_page_is_made_of_is_asked_for_at_once_and_once(browser: Browser, url: str):
    """If Gradio's version has changed: gradio_faults/assets.txt names what is missing here, in this order."""
    page, asked = browser.new_page(), []
    page.on("request", lambda request: asked.append(request.url) if "/assets/" in request.url else None)
    page.goto(url)
    expect(page.locator("#paint")).to_be_visible()
    expect(page.locator("#opening")).to_have_count(0)
    page.wait_for_timeout(500)
    names = [address.rsplit("/", 1)[-1] for address in asked]
    assert [name for name in names if name not in assets.listed()] == [own_sheet(url)]
    assert sorted(names) == sorted(
        [*(name for name in assets.listed() if name.endswith(".js")), own_sheet(url)]
    )
    # What makes a page fit a frame, only in one.
    expect(page.locator("script[src*=iframeResizer]")).to_have_count(0)
    # The sheets that were not asked for count all the same.
    assert page.evaluate("document.querySelectorAll('link[rel=stylesheet][disabled]').length") > 20
    assert page.evaluate("[...document.styleSheets].filter(e => e.href?.includes('/assets.css')).length") == 1
    page.close()


def own_sheet(url: str) -> str:
    """Return the name of the one style sheet that Gradio's own HTML names."""
    return re.search(rb'href="\./assets/(index-[^"]*\.css)"', fetched(url)[0]).group(1).decode()


def test_they_are_gradios_own_bytes_however_they_are_packed(url):
    assert len(assets.listed()) == len((ROOT / "nst/gradio_faults/assets.txt").read_text().split())
    for path, data in assets.files().items():
        for taken, unpack in (("identity", bytes), ("br", brotli.decompress), ("gzip", gzip.decompress)):
            found, headers = fetched(url, path, **{"Accept-Encoding": taken})
            assert unpack(found) == data, (path, taken)
            assert headers["content-type"].startswith(
                "text/css" if path.endswith("css") else "text/javascript"
            )
            assert headers["vary"] == "Accept-Encoding"
    script = next(name for name in assets.listed() if name.endswith(".js"))
    assert assets.files()[f"/assets/{script}"] == (assets.FOLDER / script).read_bytes()


@pytest.mark.parametrize(
    ("told", "scheme"), [("https", "https"), ("https,http", "https"), ("http, https", "http"), ("x", "http")]
)
def test_a_card_has_the_address_that_the_visitor_used_whatever_stands_between(url, told, scheme):
    page, _ = fetched(url, **{"X-Forwarded-Proto": told, "X-Forwarded-Host": "paint.example.org"})
    card = card_of(page)
    assert card["og:url"] == f"{scheme}://paint.example.org/"
    assert card["og:image"] == f"{scheme}://paint.example.org/card/matterhorn-starry_night.jpg"


@pytest.mark.parametrize(
    ("query", "named", "pair"),
    [
        ("", "", "matterhorn-starry_night"),
        ("?photo=rocket&style=marbling", "?photo=rocket&amp;style=marbling", "rocket-marbling"),
        (
            "?style=great_wave&style_weight=7&x=y",
            "?style_weight=7&amp;style=great_wave",
            "matterhorn-great_wave",
        ),
        ("?photo=/etc/passwd&style=%22%3E%3Cscript%3E&size=1e9", "", "matterhorn-starry_night"),
        ("?" + "a=1&" * 900, "", "matterhorn-starry_night"),
        ("?photo=%ff%fe&style", "", "matterhorn-starry_night"),
    ],
)
def test_a_link_of_examples_has_a_card_of_what_they_become(url, query, named, pair):
    page, _ = fetched(url, "/" + query)
    card = card_of(page)
    assert card["og:title"] == card["twitter:title"] == TITLE
    assert card["og:description"] == PROMISE
    assert re.findall("<title>(.*?)</title>", page.decode()) == [TITLE]
    assert card["og:url"] == url + named
    assert card["og:image"] == card["twitter:image"] == f"{url}card/{pair}.jpg"
    picture, _ = fetched(url, f"/card/{pair}.jpg")
    assert Image.open(io.BytesIO(picture)).format == "JPEG"


def test_a_host_name_cannot_write_into_the_page(url):
    page, _ = fetched(url, **{"X-Forwarded-Host": 'evil"><script>alert(1)</script>'})
    assert b"alert(1)" not in page


def test_each_visitor_behind_a_proxy_of_this_machine_has_the_address_that_he_used(url):
    def seen(number: int) -> bytes:
        host = f"paint{number % 2}.example.org"
        page, _ = fetched(url, **{"X-Forwarded-For": f"8.8.8.{number}", "X-Forwarded-Host": host})
        return re.search(rb'<meta property="og:url" content="http://([^/"]*)', page).group(1)

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(seen, range(12))) == [b"paint0.example.org", b"paint1.example.org"] * 6


def test_what_one_replica_names_every_other_has(url):
    page, _ = fetched(url)
    named = {*re.findall(rb'og:image" content="http://[^/]*([^"]*)"', page)}
    named |= {*re.findall(rb'--thumbnails: url\("([^"]*)"\)', page)}
    named |= {*re.findall(rb'(?:src|href)="\.?(/[^":]*\.(?:js|css))"', page)}
    assert len(named) >= 4
    with serve() as other:
        for path in named:
            assert fetched(other, path.decode())[0] == fetched(url, path.decode())[0]


@pytest.mark.parametrize(("width", "height"), [(1366, 650), (390, 664)])
def test_something_is_seen_before_the_script_and_nothing_moves_afterwards(
    browser: Browser, url: str, width: int, height: int
):
    page = browser.new_page(viewport={"width": width, "height": height})
    page.add_init_script(SHIFTS)
    held: list[Route] = []
    page.route("**/assets/index-*.js", lambda route: held.append(route))
    page.goto(url, wait_until="commit")
    expect(page.locator("#opening")).to_contain_text("Painted live")
    page.wait_for_timeout(300)
    assert held
    for request in held:
        request.continue_()
    page.keyboard.press("Tab")  # there is nothing to be reached by keys yet
    assert page.evaluate("document.activeElement === document.body")
    page.wait_for_function("!document.querySelector('#opening')", polling="raf")
    page.keyboard.press("Tab")  # at once, by somebody in a hurry
    assert page.evaluate("document.activeElement.className") == "skip"
    page.wait_for_timeout(1000)
    assert page.evaluate("window.shifted") < 0.05
    # Paint is in sight, with nothing to scroll.
    box = page.locator("#paint").bounding_box()
    assert box["y"] + box["height"] < height
    page.close()
