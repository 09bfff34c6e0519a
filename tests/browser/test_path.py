"""The page below a path of somebody else's host, behind a real nginx."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from app_process import free_port
from conftest import ROOT
from playwright.sync_api import expect
from served import serve
from strangers import Stranger
from visits import SHORT, card_of, finished, make_link, paint
from waiting import eventually

from nst.page.layout import TITLE

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
DOCUMENTED = re.search("```nginx\n(.*?)```", (ROOT / "nst/page/hosting.md").read_text(), re.DOTALL).group(1)
CONF = """
daemon off; pid {folder}/pid; error_log {folder}/errors; events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  {documented}
}}
"""


@pytest.fixture
def below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the page below a path."""
    if NGINX is None:
        pytest.skip("nginx is not installed here")
    monkeypatch.setenv("GRADIO_ROOT_PATH", "/paint")
    with serve() as url:
        port = free_port()
        documented = DOCUMENTED.replace("listen 8080", f"listen 127.0.0.1:{port}")
        documented = documented.replace("location / {", "location /paint/ {")
        documented = documented.replace("proxy_pass http://painted_live;", f"proxy_pass {url};")
        conf = tmp_path / "nginx.conf"
        conf.write_text(CONF.format(folder=tmp_path, documented=documented))
        address, nginx = f"http://127.0.0.1:{port}/paint/", subprocess.Popen([NGINX, "-c", str(conf)])
        try:
            eventually(lambda: answers(address), (tmp_path / "errors").read_text)
            yield address
        finally:
            nginx.terminate()
            nginx.wait()


def fetched(address: str) -> tuple[int, dict[str, str], bytes]:
    return Stranger(address, "").ask("GET", urlsplit(address).path)


def answers(address: str) -> bool:
    with contextlib.suppress(OSError):
        return fetched(address)[0] == 200
    return False


def test_a_card_a_painting_a_reload_and_a_link(below, visitor):
    document = fetched(below)[2]
    card = card_of(document)
    assert card["og:url"] == below
    assert fetched(card["og:image"])[0] == 200
    (named,) = re.findall(r'<link rel="manifest" href="([^"]*)"', document.decode())
    manifest = json.loads(fetched(urljoin(below, named))[2])
    assert manifest["name"] == TITLE
    assert urljoin(urljoin(below, named), manifest["start_url"]) == below
    status, headers, _ = fetched(urljoin(urljoin(below, named), manifest["icons"][0]["src"]))
    assert (status, headers["content-type"][:13]) == (200, "image/svg+xml")
    page = visitor(below + SHORT)
    paint(page)
    assert finished(page).startswith(below)
    page.reload()
    expect(page.locator("#paintings .open")).to_have_count(1)
    make_link(page, f"{below}?iterations=20&size=64")


@pytest.mark.full
def test_nginx_keeps_no_more_than_a_host_takes_for_any_route(below, tmp_path):
    """What is too much is refused by its head, before a byte of it is kept."""
    place = urlsplit(below)
    for path in ("upload", "nothing/of/the/kind"):
        head = f"POST {place.path}gradio_api/{path} HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n"
        with Stranger(below).connect(head.encode() + b"x" * 1000) as one:
            assert one.recv(12) == b"HTTP/1.1 413"
    assert not [file for file in (tmp_path / "1").rglob("*") if file.is_file()]
