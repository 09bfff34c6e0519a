"""What strangers send and begin, and what must come of it (nst/guard/security.md)."""

import base64
import contextlib
import json
import os
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest
from conftest import eventually
from gradio_client import Client
from gradio_client.exceptions import ValidationError
from pictures import jpeg
from strangers import API, ASSISTANT, FILE, Stranger, mcp

from nst.runs.own_folder import own_folder

DATA = "data:image/png;base64," + base64.b64encode(jpeg(seed=7)).decode()
PICTURES, LONG = {"photo": {"url": DATA}, "style": {"url": DATA}}, {"size": 256, "iterations": 1000}
# How a file, or an address, can be named in a request.
MARKED = (
    lambda path: {"path": path, "meta": FILE},
    lambda path: {"path": path, "url": None, "meta": {"_type": "something else"}},
    lambda path: {"url": path},
)


@pytest.fixture
def stranger(url):
    """Somebody who cannot be told from others, and so may ask for more than one of them."""
    return Stranger(url, "")


def counts(stranger: Stranger) -> int:
    told = json.loads(stranger.ask("GET", "/health")[2])
    return told["painting"] + told["waiting"]


def test_no_file_of_the_host_is_read_and_none_is_told_from_another(stranger, tmp_path):
    secret, mine = tmp_path / "secret.png", own_folder().path
    for path in (secret, mine / "tmpupload"):
        path.write_bytes(jpeg(seed=99))
    upload, change, told = Path(stranger.sent(jpeg())["path"]), stranger.event("photo", "change"), set()
    with secret.open("rb") as opened:
        paths = [secret, "/etc/passwd", "/etc", "/dev/ptmx", "/dev/stdin", "/proc/self/environ", "app.py"]
        paths += [f"/proc/self/fd/{opened.fileno()}", "../../etc/passwd", f"file://{secret}"]
        paths += [mine, mine / "lock", mine / "tmpupload", upload.parent, upload.parent / ".hidden"]
        paths += [os.path.relpath(upload), upload.as_uri(), upload.parent / ".." / Path(*upload.parts[-2:])]
        paths += [f"{upload}\0", f"{upload}\n", upload.parent / ("n" * 700)]
        for path in (*map(str, paths), "", 7, ["/etc/passwd"], {"path": "/etc/passwd"}):
            for file in (mark(path) for mark in MARKED):
                call = stranger.ask("POST", f"{API}/call/v2/stylize", {"photo": file, "style": file})
                for status, _, body in (call, stranger.fire(change, photo=file)):
                    assert status == 422, (path, body)
                    told.add(body)
            assert stranger.ask("GET", f"{API}/file={quote(str(path))}")[0] in (403, 404)
    (sentence,) = told
    assert b"is not one that was sent here; upload it first" in sentence
    for path in (str(secret), "/etc/passwd"):
        answer = stranger.tool(photo=MARKED[0](path), style=DATA)
        assert "was sent here" in answer
        assert "isError" in answer


def test_nothing_is_fetched_from_an_address_in_any_argument(stranger, url):
    with socket.create_server(("127.0.0.1", 0)) as trap:
        here = f"127.0.0.1:{trap.getsockname()[1]}/a.png"
        for address in (f"http://{here}", f"HTTP://{here}", f"//{here}", "https://example.com/a.png"):
            for name in ("photo", "iterations", "content_weight", "style_layers", "keep", "resume"):
                for mark in MARKED:
                    status, told = stranger.call(**{**PICTURES, name: mark(address)})
                    assert status == 422, (address, name, told)
            assert stranger.ask("GET", f"{API}/file={address}")[0] in (403, 404)
            assert stranger.ask("GET", f"{API}/proxy={address}")[0] == 404
            told = stranger.tool(photo=address, style=address)
            assert re.search("Nothing is fetched from an address|was sent here|Invalid", told)
            # Inside an event of the page, such as the brush's.
            assert stranger.fire(stranger.event("go", "submit"), brush=MARKED[0](address))[0] == 422
        # Gradio's own client is told so, too.
        with pytest.raises(ValidationError, match="Nothing is fetched from an address"):
            Client(url, verbose=False).predict(MARKED[0](f"http://{here}"), None, api_name="/stylize")
        trap.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has come
            trap.accept()


def test_a_foreign_host_name_sees_the_page_and_nothing_that_is_somebodys(stranger):
    """Runs are asked for by a key that the browser keeps for each name apart (DNS rebinding)."""
    foreign = {"Host": "evil.example.org"}
    assert stranger.ask("GET", "/", headers=foreign)[0] == 200
    assert b"stylize" in stranger.ask("POST", f"{API}/mcp/", mcp("tools/list"), foreign | ASSISTANT)[2]
    assert stranger.ask("GET", f"{API}/file=/etc/passwd", headers=foreign)[0] == 403


def test_an_address_has_three_runs_which_end_when_nobody_listens(stranger, url):
    eventually(lambda: counts(stranger) == 0)
    somebody, asked = Stranger(url, "4.4.4.4"), {"photo": DATA, "style": DATA}
    call = json.dumps(mcp("tools/call", name="stylize", arguments=asked | LONG)).encode()
    head = ASSISTANT | {"Content-Type": "application/json"}
    with contextlib.ExitStack() as assistants:
        for _ in range(3):
            request = somebody.request(f"{API}/mcp/", "POST", call, head)
            assistants.enter_context(somebody.connect(request))
        eventually(lambda: counts(stranger) == 3)
        # The quota is one, whichever way one comes.
        assert "You have 3 paintings under way" in somebody.painted(**PICTURES)
        assert "You have 3 paintings under way" in somebody.tool(**asked)
    assert stranger.call(**PICTURES | LONG)[0] == 200
    eventually(lambda: counts(stranger) == 1)  # an assistant's end with its call
    eventually(lambda: counts(stranger) == 0)


def test_frames_may_be_asked_for_twice_until_whoever_fetches_them_hangs_up(stranger):
    number = stranger.call(**PICTURES | LONG)[1]["event_id"]
    first, second = (stranger.lines(number) for _ in range(2))
    for lines in (first, second):
        assert next(lines).startswith(b"event: ")
    first.close()
    second.close()
    sentence = "There is no such run here, or somebody has begun to fetch its frames."
    eventually(lambda: sentence in stranger.result(number))


def test_whatever_is_sent_for_key_run_and_frame_opens_nothing_and_breaks_nothing(stranger, capfd):
    odd = [None, 7, {"key": ["x"], "run": {"a": 1}}, {"key": "k" * 32, "run": "r" * 32, "chosen": [1]}]
    events = [("run", "submit"), ("go", "stop"), ("history", "select"), ("paintings", "delete")]
    for handle in odd:
        for event in events:
            status, _, body = stranger.fire(stranger.event(*event), run=handle)
            assert status == 200, (event, handle, body)
            assert not re.search(b"upload-|run-", body)
        assert stranger.fire(stranger.making("film"), run=handle)[0] == 200
        assert stranger.fire(stranger.event("intake", "upload"))[0] == 200
    example = stranger.event("photo-examples", "select")
    for click in (None, 7, ["index"], {}, *({"index": index} for index in (99, -1, "0", True, 0))):
        status, _, body = stranger.fire(example, event_data=click)
        assert (status, b"path" in body) == (200, click == {"index": 0}), (click, body)
    assert "Traceback" not in capfd.readouterr().err


def test_of_one_client_two_crops_are_cut_at_a_time_and_another_is_served(url):
    mine, other = Stranger(url, "7.7.9.8"), Stranger(url, "7.7.9.9")
    crop, asked = mine.event("crop", "submit"), {"asked": "x", "box": [0, 0, 1, 1], "turns": 1}
    large, small = mine.sent(jpeg(3000, 2500)), other.sent(jpeg(seed=1))
    with ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda number: mine.fire(crop, f"crop{number}", asked, photo=large), range(8))
        assert b'"message":""' in other.fire(crop, "other", asked, photo=small)[2]
    bodies = [body for _, _, body in answers]
    assert sum(b"it is on its way" in body for body in bodies) >= 4
    assert sum(b'"message":""' in body for body in bodies) >= 2
