"""Runs that strangers begin, and what must come of them (nst/guard/security.md)."""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from conftest import eventually
from served import LIMITS, serve
from strangers import API, Stranger, gif_of_comments, jpeg, slow_jpeg


def test_a_flood_of_films_leaves_paint_to_the_others(url):
    flood, somebody = Stranger(url, "7.7.7.7"), Stranger(url, "7.7.7.8")
    film = flood.making("film")
    told = [flood.fire(film, session=f"film{number}")[0] for number in range(201)]
    assert set(told) <= {200, 429}
    assert 429 in told
    photo, style = somebody.sent(jpeg(seed=1)), somebody.sent(jpeg(seed=2))
    assert "event: complete" in somebody.painted(photo=photo, style=style, size=64, iterations=10)


def test_a_run_that_nobody_listens_to_ends(stranger):
    photo, style = stranger.sent(jpeg(seed=1)), stranger.sent(jpeg(seed=2))
    assert stranger.call(photo=photo, style=style, size=256, iterations=1000)[0] == 200
    eventually(lambda: counts(stranger) == 1)
    eventually(lambda: counts(stranger) == 0)


def test_what_is_slow_to_read_holds_nobody_up(url):
    attackers = [Stranger(url, f"5.5.5.{number}") for number in range(1, 4)]
    somebody = Stranger(url, "6.6.6.6")
    few = {"size": 64, "iterations": 10}
    with ThreadPoolExecutor(3) as threads:
        for one, data in zip(attackers, (slow_jpeg(), gif_of_comments(), slow_jpeg(3000)), strict=True):
            file = one.sent(data)
            threads.submit(one.painted, photo=file, style=file, **few)
        time.sleep(0.5)
        photo, style = somebody.sent(jpeg(seed=1)), somebody.sent(jpeg(seed=2))
        began = time.monotonic()
        assert somebody.forecast(photo)[0] == 200
        assert "event: complete" in somebody.painted(photo=photo, style=style, **few)
        # Minutes, were they waited for; here their moments and one deadline.
        assert time.monotonic() - began < 45
    status, _, told = somebody.ask("GET", "/health")
    assert (status, json.loads(told)["status"]) == (200, "ok")


def test_many_wait_and_take_no_thread():
    with serve(replace(LIMITS, waiting=70, grace=600)) as url:
        first = Stranger(url, "1.1.0.1")
        photo = first.sent(jpeg())
        before, listening = threading.active_count(), []
        try:
            for number in range(60):
                somebody = Stranger(url, f"1.1.{number // 3}.1")
                status, told = somebody.call(photo=photo, style=photo, size=256, iterations=1000)
                assert status == 200
                listening.append(told["event_id"])
            eventually(lambda: counts(first) == 60)
            assert threading.active_count() < before + 45
            assert first.forecast(photo)[0] == 200
        finally:
            for number in listening:
                first.ask(
                    "POST", f"{API}/cancel", {"session_hash": number, "fn_index": 0, "event_id": number}
                )


def started(stranger: Stranger, address: str) -> http.client.HTTPConnection:
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


def test_an_assistant_has_the_quota_of_its_address_and_ends_with_its_caller(stranger):
    eventually(lambda: counts(stranger) == 0)
    calls = [started(stranger, "4.4.4.4") for _ in range(3)]
    try:
        eventually(lambda: counts(stranger) == 3)
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
    eventually(lambda: counts(stranger) == 0)


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
