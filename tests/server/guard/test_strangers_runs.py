"""Runs that strangers begin, and what must come of them (nst/guard/security.md)."""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from served import LIMITS, serve
from strangers import API, Stranger, jpeg


def test_a_flood_of_films_leaves_paint_to_the_others(url):
    flood, somebody = Stranger(url, "7.7.7.7"), Stranger(url, "7.7.7.8")
    film = flood.making("film")
    told = [flood.fire(film, session=f"film{number}")[0] for number in range(201)]
    assert set(told) <= {200, 429}
    assert 429 in told
    photo, style = somebody.sent(jpeg(seed=1)), somebody.sent(jpeg(seed=2))
    assert "event: complete" in somebody.painted(photo=photo, style=style, size=64, iterations=10)


def test_a_run_that_nobody_listens_to_ends():
    with serve(replace(LIMITS, grace=1.0)) as url:
        nobody_listens(Stranger(url))


def nobody_listens(stranger: Stranger) -> None:
    photo, style = stranger.sent(jpeg(seed=1)), stranger.sent(jpeg(seed=2))
    status, _ = stranger.call(photo=photo, style=style, size=256, iterations=1000)
    assert status == 200
    somebody_paints(stranger)
    nobody_paints(stranger)


def somebody_paints(stranger: Stranger, count: int = 1) -> None:
    began = time.monotonic()
    while counts(stranger) < count:
        assert time.monotonic() - began < 60
        time.sleep(0.02)


def nobody_paints(stranger: Stranger, seconds: float = 30) -> None:
    began = time.monotonic()
    while True:
        if counts(stranger) == 0:
            return
        assert time.monotonic() - began < seconds
        time.sleep(0.1)


def started(stranger: Stranger, address: str, **more: object) -> threading.Thread:
    """Begin a long call of the tool from an address; it ends when the test says so."""
    data = "data:image/png;base64," + base64.b64encode(jpeg(seed=7)).decode()
    arguments = {"photo": data, "style": data, "size": 256, "iterations": 1000}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    body["params"] = {"name": "stylize", "arguments": arguments}
    connection = http.client.HTTPConnection(stranger.host, timeout=120)
    head = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    connection.request("POST", f"{API}/mcp/", json.dumps(body), {**head, "X-Forwarded-For": address})
    return connection


def counts(stranger: Stranger) -> int:
    told = json.loads(stranger.ask("GET", "/health")[2])
    return told["painting"] + told["waiting"]


def test_an_assistant_has_the_quota_of_its_address_and_ends_with_its_caller(stranger, demo):
    nobody_paints(stranger)
    calls = [started(stranger, "4.4.4.4") for _ in range(3)]
    try:
        somebody_paints(stranger, 3)
        somebody = Stranger(stranger.host.join(("http://", "/")), "4.4.4.4")
        photo = somebody.sent(jpeg(seed=8))
        # The quota is one, whichever way one comes.
        assert "You have 3 paintings under way" in somebody.painted(photo=photo, style=photo, size=64)
        data = "data:image/png;base64," + base64.b64encode(jpeg(seed=7)).decode()
        told = somebody.tool(photo=data, style=data, size=64)
        assert "You have 3 paintings under way" in told
    finally:
        for call in calls:
            call.close()
    nobody_paints(stranger)


def test_what_a_caller_says_of_himself_blames_nobody(url, demo):
    stranger = Stranger(url, "4.4.4.5")
    given = {
        b"x-nst-client": b"1.2.3.4/32",
        b"x-nst-call": b"0" * 32,
        b"x-gradio-server": b"http://evil.example",
        b"x-forwarded-for": b"1.2.3.4",
    }
    from nst.guard import clients, headers

    seen = dict(headers.incoming(given.items(), [(clients.HEADER, b"8.8.8.8/32")], proxied=False))
    assert seen == {clients.HEADER: b"8.8.8.8/32"}
    status, _, body = stranger.ask("GET", "/config", headers={"X-Gradio-Server": "http://evil.example"})
    assert status == 200
    assert b"evil.example" not in body
    for bad in ("http://[", "\x01", "x" * 3000):
        status, _, _ = stranger.ask("GET", "/config", headers={"X-Gradio-Server": bad})
        assert status in (200, 400)


def test_what_does_not_fit_is_a_sentence_and_no_traceback(stranger, capfd):
    photo = stranger.sent(jpeg(seed=3))
    for wrong in ("just a string", 7, ["x"], {"name": "x"}):
        for given in ({"photo": wrong, "style": photo}, {"photo": photo, "style": photo, "keep": wrong}):
            status, told = stranger.call(**given)
            assert status == 422
            assert "is no file; upload one" in told["error"]
    status, _, body = stranger.ask("POST", f"{API}/call/stylize", {"data": ["x", "y"]})
    assert status == 422
    assert b"is no file" in body
    paint = stranger.event("go", "submit")
    for data in ([], [1, 2], [*stranger.data(paint), None]):
        assert stranger.fire(paint, data=data)[0] == 422
    assert stranger.ask("POST", f"{API}/call/stylize", {"data": [None] * 99})[0] == 422
    assert "Traceback" not in capfd.readouterr().err


def test_what_a_call_leaves_out_is_as_on_a_fresh_page(stranger):
    photo = stranger.sent(jpeg(seed=3))
    for given, said in (([], "Add a photo first."), ([photo], "Add a style picture first.")):
        status, _, body = stranger.ask("POST", f"{API}/call/stylize", {"data": given})
        assert status == 200
        number = json.loads(body)["event_id"]
        assert said in stranger.ask("GET", f"{API}/call/stylize/{number}")[2].decode()


def test_an_assistant_may_name_what_was_sent_to_this_very_host(stranger, url):
    photo = stranger.sent(jpeg(seed=4))["path"]
    for address in (f"{url}gradio_api/file={photo}", f"https://example.com/gradio_api/file={photo}"):
        assert '"type":"image"' in stranger.tool(photo=address, style=address, size=64, iterations=10)
    assert "Nothing is fetched" in stranger.tool(photo="https://example.com/a.jpg", style=photo)


def test_whatever_is_sent_for_key_run_and_frame_opens_nothing_and_breaks_nothing(stranger, capfd):
    odd = [
        None,
        "x",
        7,
        [],
        {"key": ["x"], "run": {"a": 1}},
        {"key": "k" * 32, "run": "r" * 32, "chosen": [1]},
    ]
    for handle in odd:
        for name, kind in (
            ("run", "submit"),
            ("go", "stop"),
            ("history", "select"),
            ("paintings", "delete"),
        ):
            status, _, body = stranger.fire(stranger.event(name, kind), run=handle)
            assert status == 200, (name, handle, body)
            assert b"upload-" not in body
            assert b"run-" not in body
        assert stranger.fire(stranger.making("film"), run=handle)[0] == 200
        assert stranger.fire(stranger.event("intake", "upload"))[0] == 200
    assert "Traceback" not in capfd.readouterr().err


def test_of_one_client_two_crops_are_cut_at_a_time_and_another_is_served(stranger, url):
    crop, large = stranger.event("crop", "submit"), stranger.sent(jpeg(3000, 2500))
    body = {
        "data": stranger.data(crop, photo=large),
        "fn_index": crop["id"],
        "event_data": {"asked": "x", "box": [0, 0, 1, 1], "turns": 1},
    }
    with ThreadPoolExecutor(8) as threads:
        answers = [
            threads.submit(
                stranger.ask, "POST", f"{API}/run/predict", {**body, "session_hash": f"crop{number}"}
            )
            for number in range(8)
        ]
        somebody = Stranger(url, "7.7.9.9")
        photo = somebody.sent(jpeg(seed=1))
        other = somebody.ask(
            "POST",
            f"{API}/run/predict",
            {**body, "data": somebody.data(crop, photo=photo), "session_hash": "other"},
        )
    said = [answer.result()[2].decode() for answer in answers]
    assert sum("it is on its way" in one for one in said) >= 4
    assert sum('"message":""' in one for one in said) >= 2
    assert '"message":""' in other[2].decode()
