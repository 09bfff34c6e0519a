"""The page below a path of somebody else's host, behind a real nginx."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from conftest import ROOT
from playwright.sync_api import expect
from served import free_port, serve
from visits import WAIT, finished, open_page, press_paint

from nst.page.layout import TITLE

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
CONF = """
daemon off; pid {folder}/pid; error_log {folder}/errors; events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  server {{
    listen 127.0.0.1:{port};
    client_max_body_size 50m;
    client_body_timeout 15s;
    location /paint/ {{
      proxy_pass {url};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_buffering off;
    }}
  }}
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
        conf = tmp_path / "nginx.conf"
        conf.write_text(CONF.format(folder=tmp_path, port=port, url=url))
        with subprocess.Popen([NGINX, "-c", str(conf)]) as nginx:
            try:
                address, began = f"http://127.0.0.1:{port}/paint/", time.monotonic()
                while True:
                    try:
                        urllib.request.urlopen(address).close()
                        break
                    except OSError:
                        assert time.monotonic() - began < 20, (tmp_path / "errors").read_text()
                        time.sleep(0.1)
                yield address
            finally:
                nginx.terminate()


def test_a_card_a_painting_a_reload_and_a_link(below, browser):
    with urllib.request.urlopen(below) as page:
        text = page.read().decode()
    told = dict(re.findall(r'<meta (?:property|name)="((?:og|twitter):\w+)" content="([^"]*)"', text))
    assert told["og:url"] == below
    assert urllib.request.urlopen(told["og:image"]).status == 200
    assert told["twitter:image"] == told["og:image"]
    (named,) = re.findall(r'<link rel="manifest" href="([^"]*)"', text)
    with urllib.request.urlopen(urljoin(below, named)) as answer:
        told = json.load(answer)
    assert told["name"] == TITLE
    assert urljoin(answer.url, told["start_url"]) == below
    with urllib.request.urlopen(urljoin(answer.url, told["icons"][0]["src"])) as icon:
        assert icon.headers["content-type"].startswith("image/svg+xml")
    context = browser.new_context()
    page = context.new_page()
    page.set_default_timeout(WAIT)
    open_page(page, below + "?size=64&iterations=20")
    press_paint(page)
    expect(page.locator("#status")).to_contain_text("Your painting is ready")
    assert finished(page).startswith(below)
    page.reload()
    expect(page.locator("#paintings .open")).to_have_count(1)
    page.get_by_role("tab", name="Link and settings").click()
    page.locator("#make-link").click()
    expect(page.locator("#link textarea, #link input")).to_have_value(f"{below}?iterations=20&size=64")
    context.close()


def test_nginx_keeps_no_more_than_a_host_takes_for_any_route(below, tmp_path):
    """With the lines of hosting.md what is too much is refused by its head, before a byte of it is kept."""
    conf = (ROOT / "nst/page/hosting.md").read_text()
    for line in ("client_max_body_size 50m;", "client_body_timeout 15s;"):
        assert line in conf
        assert line in CONF
    place = urlsplit(below)
    for path in ("upload", "nothing/of/the/kind"):
        with socket.create_connection((place.hostname, place.port), timeout=20) as one:
            head = (
                f"POST {place.path}gradio_api/{path} HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n"
            )
            one.sendall(head.encode() + b"x" * 1000)
            assert one.recv(12) == b"HTTP/1.1 413"
    assert not [file for file in (tmp_path / "1").rglob("*") if file.is_file()]
