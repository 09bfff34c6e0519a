"""The page below a path of somebody else's host, behind a real nginx."""

import re
import shutil
import subprocess
from urllib.parse import urljoin

import pytest
from app_process import free_port, listens
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
def below(tmp_path, monkeypatch):
    """The address of the page below a path."""
    if NGINX is None:
        pytest.skip("nginx is not installed here")
    monkeypatch.setenv("GRADIO_ROOT_PATH", "/paint")
    with serve() as url:
        port, conf = free_port(), tmp_path / "nginx.conf"
        documented = DOCUMENTED.replace("listen 8080", f"listen 127.0.0.1:{port}")
        documented = documented.replace("location / {", "location /paint/ {")
        documented = documented.replace("proxy_pass http://painted_live;", f"proxy_pass {url};")
        conf.write_text(CONF.format(folder=tmp_path, documented=documented))
        with subprocess.Popen([NGINX, "-c", str(conf)]) as nginx:
            try:
                eventually(lambda: listens(port), (tmp_path / "errors").read_text)
                yield f"http://127.0.0.1:{port}/paint/"
            finally:
                nginx.terminate()


def test_a_card_a_painting_a_reload_a_link_and_a_body_that_is_too_large(below, visitor, tmp_path):
    page = visitor(below + SHORT)
    document = page.request.get(below).body()
    card = card_of(document)
    assert card["og:url"] == below
    assert page.request.get(card["og:image"]).ok
    (named,) = re.findall(r'<link rel="manifest" href="([^"]*)"', document.decode())
    manifest = page.request.get(urljoin(below, named)).json()
    assert manifest["name"] == TITLE
    assert urljoin(urljoin(below, named), manifest["start_url"]) == below
    icon = page.request.get(urljoin(urljoin(below, named), manifest["icons"][0]["src"]))
    assert icon.headers["content-type"].startswith("image/svg+xml")
    paint(page)
    assert finished(page).startswith(below)
    page.reload()
    expect(page.locator("#paintings .open")).to_have_count(1)
    make_link(page, f"{below}?iterations=20&size=64")
    # What is too much is refused by its head, before a byte of it is kept.
    for path in ("upload", "nothing/of/the/kind"):
        head = f"POST /paint/gradio_api/{path} HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n"
        with Stranger(below).connect(head.encode() + b"x" * 1000) as one:
            assert one.recv(12) == b"HTTP/1.1 413"
    assert not [file for file in (tmp_path / "1").rglob("*") if file.is_file()]
