"""Painting in a real Ray cluster, of two page processes and painters that come and go."""

import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psutil
import pytest
from app_process import App, running
from pictures import jpeg
from PIL import Image
from strangers import API, Stranger
from waiting import eventually

from nst import InputError
from nst.painters import painter_of

pytest.importorskip("ray")
from cluster import WAIT, actors, two_pages

soon = partial(eventually, seconds=WAIT)
LONG = {"size": 128, "iterations": 1000}


@pytest.fixture(scope="module")
def pages() -> Iterator[tuple[Any, App, App]]:
    """A cluster with one painter so far, and two page processes."""
    with two_pages(NST_MAX_EACH="2") as pages:
        yield pages


def begin(app: App, address: str, **given: Any) -> tuple[Stranger, str]:
    """Begin a run as a program; return who has begun it, and its number."""
    somebody = Stranger(app.url, address)
    picture = somebody.sent(jpeg())
    status, answer = somebody.call(photo=picture, style=picture, **{"size": 128, "iterations": 30, **given})
    assert status == 200
    return somebody, answer["event_id"]


def result(owner: Stranger, number: str) -> str:
    """Return what becomes of a run."""
    return owner.result(number, WAIT)


@contextlib.contextmanager
def under_way(app: App, *runs: tuple[Stranger, str]) -> Iterator[None]:
    """Listen to long runs for as long as the context lasts; then all is quiet again."""
    with contextlib.ExitStack() as stack:
        for owner, number in runs:
            path = f"{API}/call/v2/stylize/{number}"
            stack.enter_context(owner.connect(owner.request(path)))
        yield
    soon(lambda: app.counts() == (0, 0), "whoever was hung up on has ended")


@pytest.mark.full
def test_two_pages_have_one_queue_one_quota_and_nodes_that_join_are_used(pages):
    cluster, one, two = pages
    runs = [begin(*visit, **LONG) for visit in ((one, "5.0.0.1"), (two, "5.0.0.1"), (one, "5.0.0.2"))]
    with under_way(one, *runs):
        # One painter: one paints, whichever page it came by, and both pages say so.
        soon(lambda: one.counts() == two.counts() == (1, 2), "one paints and two wait")
        assert "You have 2 paintings under way" in result(*begin(two, "5.0.0.1"))
        cluster.add_node(num_cpus=1, num_gpus=0)
        soon(lambda: one.counts() == two.counts() == (2, 1), "the new node is used")
    # Cores that hold what Ray takes for GPUs: each has a painter, and painters without one give way.
    before = set(actors("Painter"))
    cluster.add_node(num_cpus=1, num_gpus=2)
    soon(lambda: len(set(actors("Painter")) - before) == 2, "each GPU has its painter")
    soon(lambda: not before & set(actors("Painter")), "those without one are dismissed")


@pytest.mark.full
@pytest.mark.parametrize("actor", ["Painter", "Scheduler"])  # with the latter go all painters
def test_a_process_that_is_killed_loses_no_painting(pages, actor):
    _, one, two = pages

    def log() -> str:
        return one.log.read_text() + two.log.read_text()

    deaths = log().count("a painter has died over a run")
    with ThreadPoolExecutor() as listeners:
        runs = [begin(app, "7.7.7.7", iterations=150) for app in (one, two)]
        results = [listeners.submit(result, *run) for run in runs]
        soon(lambda: one.counts() == (2, 0), "both are painted")
        time.sleep(1.0)
        os.kill(actors(actor)[0], signal.SIGKILL)
    for text in [each.result() for each in results]:
        assert "event: complete" in text
        (picture,) = json.loads(text.split("data: ")[-1])
        assert Image.open(picture["path"]).size == (128, 85)
    soon(lambda: len(actors("Painter")) == 2, "another one was hired")
    if actor == "Painter":  # nobody was sent to the dead one again
        assert log().count("a painter has died over a run") == deaths + 1
        assert "Traceback" not in log()


@pytest.mark.full
def test_a_page_that_is_killed_frees_its_painters_for_the_others(pages):
    _, one, two = pages
    with under_way(two, begin(one, "8.8.4.4", **LONG), begin(one, "8.8.4.4", **LONG)):
        soon(lambda: two.counts() == (2, 0), "both painters work for the first page")
        one.kill()
        assert "event: complete" in result(*begin(two, "8.8.4.5"))


def test_a_cluster_of_ones_own_paints_listens_on_this_machine_alone_and_writes_no_token(tmp_path):
    with running(NST_CLUSTER="local", HOME=str(tmp_path)) as app:
        places = set()
        for process in psutil.Process(app.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                connections = process.net_connections()
                places |= {one.laddr.ip for one in connections if one.status == psutil.CONN_LISTEN}
        assert "127.0.0.1" in places
        assert places <= {"127.0.0.1", "::ffff:127.0.0.1"}
        assert not list(tmp_path.rglob("*token*"))
        assert "event: complete" in result(*begin(app, "9.9.9.9"))
        assert app.end() < 20


def test_without_ray_who_wants_a_cluster_is_told(monkeypatch):
    monkeypatch.setenv("NST_CLUSTER", "auto")
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.delitem(sys.modules, "nst.painters.cluster", raising=False)
    with pytest.raises(InputError, match="NST_CLUSTER needs Ray; install it with: pip install ray"):
        painter_of(2, 3, 60.0)


def test_each_gpu_has_a_painter_and_nodes_without_one_only_where_there_is_none():
    from nst.painters.actors import places

    a, b, c, d = (letter * 56 for letter in "abcd")
    small, large = {"CPU": 4.0}, {"CPU": 64.0, "GPU": 2.0}
    nodes = [
        {"NodeID": a, "Alive": True, "Resources": small},
        {"NodeID": b, "Alive": True, "Resources": {}},  # a head that is to do nothing
        {"NodeID": c, "Alive": False, "Resources": small},
    ]
    assert list(places(nodes)) == [a]
    assert places(nodes)[a]["num_cpus"] == 4
    with_gpus = places([*nodes, {"NodeID": d, "Alive": True, "Resources": large}])
    assert list(with_gpus) == [f"{d}/0", f"{d}/1"]
    assert all(place["num_gpus"] == 1 for place in with_gpus.values())
