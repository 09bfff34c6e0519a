"""What strangers send and begin, and what must come of it (nst/guard/security.md)."""

from __future__ import annotations

import base64
import http.client
import json
import re
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest
from conftest import eventually
from gradio_client import Client
from gradio_client.exceptions import ValidationError
from strangers import API, FILE, Stranger, jpeg

from nst.runs.own_folder import own_folder

DATA = "data:image/png;base64," + base64.b64encode(jpeg(seed=7)).decode()
FEW = {"size": 64, "iterations": 10}
# How a file, or an address, can be named in a request.
MARKED = (
    lambda path: {"path": path},
    lambda path: {"path": path, "meta": FILE},
    lambda path: {"path": path, "url": None, "meta": {"_type": "something else"}},
    lambda path: {"path": None, "url": path, "meta": FILE},
    lambda path: {"url": path},
)


def pictures(stranger: Stranger) -> dict:
    """Return what a painting is made from, and its settings."""
    return {"photo": stranger.sent(jpeg(seed=1)), "style": stranger.sent(jpeg(seed=2)), **FEW}


def counts(stranger: Stranger) -> int:
    told = json.loads(stranger.ask("GET", "/health")[2])
    return told["painting"] + told["waiting"]


# Files


def test_no_file_of_the_host_is_read_and_none_is_told_from_another(crowd, secret):
    mine = own_folder().path
    (mine / "tmpupload").write_bytes(jpeg())
    upload = Path(crowd.sent(jpeg())["path"])
    told = set()
    with secret.open("rb") as opened:
        paths = [secret, "/etc/passwd", "/etc", "/dev/ptmx", "/dev/stdin", "/proc/self/environ", "app.py"]
        paths += [f"/proc/self/fd/{opened.fileno()}", "../../etc/passwd", f"file://{secret}"]
        paths += [mine, mine / "lock", mine / "tmpupload", upload.parent]
        for path in (*map(str, paths), "", 7, ["/etc/passwd"], {"path": "/etc/passwd"}):
            for mark in MARKED:
                status, text = crowd.forecast(mark(path))
                assert status == 422, (path, text)
                told.add(json.dumps(json.loads(text)))
                status, answer = crowd.call(photo=mark(path), style=mark(path))
                assert status == 422, (path, answer)
                told.add(json.dumps(answer))
            assert crowd.ask("GET", f"{API}/file={quote(str(path))}")[0] in (403, 404)
    (sentence,) = told
    assert "is not one that was sent here; upload it first" in sentence
    for path in (str(secret), "/etc/passwd"):
        for mark in MARKED[:2]:
            answer = crowd.tool(photo=mark(path), style=DATA)
            assert "was sent here" in answer
            assert "isError" in answer


def test_a_picture_that_is_gone_is_said_to_be(stranger):
    given = pictures(stranger)
    Path(given["photo"]["path"]).unlink()
    assert "The photo is no longer kept here; add it again." in stranger.painted(**given)


def test_nothing_is_fetched_from_an_address_in_any_argument(crowd, url):
    given = pictures(crowd)
    with socket.create_server(("127.0.0.1", 0)) as trap:
        here = f"127.0.0.1:{trap.getsockname()[1]}/a.png"
        for address in (
            f"http://{here}",
            f"HTTP://{here}",
            f"//{here}",
            "http://100.64.0.1/a.png",
            "https://example.com/a.png",
            "ftp://example.com/a.png",
        ):
            for name in ("photo", "iterations", "content_weight", "style_layers", "keep", "resume"):
                for mark in MARKED[1:4]:
                    status, told = crowd.call(**{**given, name: mark(address)})
                    assert status == 422, (address, name, told)
            assert crowd.ask("GET", f"{API}/file={address}")[0] in (403, 404)
            assert crowd.ask("GET", f"{API}/proxy={address}")[0] == 404
            told = crowd.tool(photo=address, style=address)
            assert re.search("Nothing is fetched from an address|was sent here|Invalid", told)
            # Inside an event of the page, such as the brush's.
            assert crowd.fire(crowd.event("go", "submit"), brush=MARKED[1](address))[0] == 422
        # Gradio's own client is told so, too.
        with pytest.raises(ValidationError, match="Nothing is fetched from an address"):
            Client(url, verbose=False).predict(
                MARKED[1](f"http://{here}"), given["style"], api_name="/stylize"
            )
        trap.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has come
            trap.accept()


def test_files_sent_as_data_are_kept_as_uploads_and_damaged_ones_are_said(stranger):
    photo = {"url": DATA, "path": "x.png", "meta": FILE}
    assert "event: complete" in stranger.painted(photo=photo, style={"path": DATA}, **FEW)
    status, told = stranger.call(photo={"path": "data:image/png;base64,!!!"}, style={"path": DATA})
    assert status == 422
    assert "damaged" in told["error"]


def test_an_assistant_may_name_what_was_sent_to_this_very_host(stranger, url):
    photo = stranger.sent(jpeg(seed=4))["path"]
    for address in (f"{url}gradio_api/file={photo}", f"https://example.com/gradio_api/file={photo}"):
        assert '"type":"image"' in stranger.tool(photo=address, style=address, **FEW)
    assert "Nothing is fetched" in stranger.tool(photo="https://example.com/a.jpg", style=photo)


def test_no_answer_names_a_path(stranger):
    given = pictures(stranger)
    photo = given["photo"]
    for name in ("iterations", "content_weight", "style_layers", "size", "colors", "coarse_to_fine", "seed"):
        for value in (photo, [photo["path"]], {"a": photo["path"]}):
            status, told = stranger.call(**{**given, name: value})
            text = json.dumps(told) if status != 200 else stranger.result(told["event_id"])
            assert "event: complete" not in text
            assert str(own_folder().path) not in text
            assert re.search(r"is (a|one|either)|not what is taken|a list|an object|error", text), text


def test_a_foreign_host_name_sees_the_page_and_nothing_that_is_somebodys(stranger):
    """A name that somebody lets point to this machine (DNS rebinding) is answered: tunnels have such, too.

    It finds what any stranger finds: runs are asked for by a key that the browser keeps for each name apart.
    """
    foreign = {"Host": "evil.example.org", "X-Gradio-Server": "http://other.example"}
    status, _, page = stranger.ask("GET", "/", headers=foreign)
    assert status == 200
    assert set(re.findall(rb'og:url" content="([^"]*)', page)) == {b"http://evil.example.org/"}
    assert b"other.example" not in stranger.ask("GET", "/config", headers=foreign)[2]
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    foreign["Accept"] = "application/json, text/event-stream"
    status, _, told = stranger.ask("POST", f"{API}/mcp/", asked, foreign)
    assert status == 200
    assert b"stylize" in told
    assert stranger.ask("GET", f"{API}/file=/etc/passwd", headers=foreign)[0] == 403


# Runs


def test_a_run_that_nobody_listens_to_ends(stranger):
    assert stranger.call(**pictures(stranger) | {"size": 256, "iterations": 1000})[0] == 200
    eventually(lambda: counts(stranger) == 1)
    eventually(lambda: counts(stranger) == 0)


def test_an_assistant_has_the_quota_of_its_address_and_ends_with_its_caller(stranger, url):
    eventually(lambda: counts(stranger) == 0)
    somebody = Stranger(url, "4.4.4.4")
    head = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    long = {"photo": DATA, "style": DATA, "size": 256, "iterations": 1000}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    asked["params"] = {"name": "stylize", "arguments": long}
    calls = [http.client.HTTPConnection(somebody.host, timeout=120) for _ in range(3)]
    try:
        for call in calls:
            call.request("POST", f"{API}/mcp/", json.dumps(asked), head | somebody.signature)
        eventually(lambda: counts(stranger) == 3)
        # The quota is one, whichever way one comes.
        assert "You have 3 paintings under way" in somebody.painted(**pictures(somebody))
        assert "You have 3 paintings under way" in somebody.tool(photo=DATA, style=DATA, **FEW)
    finally:
        for call in calls:
            call.close()
    eventually(lambda: counts(stranger) == 0)


def test_what_a_call_leaves_out_is_as_on_a_fresh_page(stranger):
    photo = stranger.sent(jpeg(seed=3))
    for given, said in (([], "Add a photo first."), ([photo], "Add a style picture first.")):
        status, _, body = stranger.ask("POST", f"{API}/call/stylize", {"data": given})
        assert status == 200
        number = json.loads(body)["event_id"]
        assert said in stranger.ask("GET", f"{API}/call/stylize/{number}")[2].decode()


def test_whatever_is_sent_for_key_run_and_frame_opens_nothing_and_breaks_nothing(stranger, capfd):
    odd = [None, "x", 7, [], {"key": ["x"], "run": {"a": 1}}]
    odd.append({"key": "k" * 32, "run": "r" * 32, "chosen": [1]})
    events = [("run", "submit"), ("go", "stop"), ("history", "select"), ("paintings", "delete")]
    for handle in odd:
        for event in events:
            status, _, body = stranger.fire(stranger.event(*event), run=handle)
            assert status == 200, (event, handle, body)
            assert b"upload-" not in body
            assert b"run-" not in body
        assert stranger.fire(stranger.making("film"), run=handle)[0] == 200
        assert stranger.fire(stranger.event("intake", "upload"))[0] == 200
    assert "Traceback" not in capfd.readouterr().err


def test_of_one_client_two_crops_are_cut_at_a_time_and_another_is_served(stranger, url):
    crop, other = stranger.event("crop", "submit"), Stranger(url, "7.7.9.9")

    def cut(whose: Stranger, photo: dict, session: str) -> str:
        asked = {"asked": "x", "box": [0, 0, 1, 1], "turns": 1}
        body = {"data": whose.data(crop, photo=photo), "fn_index": crop["id"], "event_data": asked}
        return whose.ask("POST", f"{API}/run/predict", {**body, "session_hash": session})[2].decode()

    large, small = stranger.sent(jpeg(3000, 2500)), other.sent(jpeg(seed=1))
    with ThreadPoolExecutor(8) as threads:
        said = threads.map(lambda number: cut(stranger, large, f"crop{number}"), range(8))
        assert '"message":""' in cut(other, small, "other")
    said = list(said)
    assert sum("it is on its way" in one for one in said) >= 4
    assert sum('"message":""' in one for one in said) >= 2
