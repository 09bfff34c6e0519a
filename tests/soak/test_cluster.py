"""Painting in a real Ray cluster, of two page processes and painters that come and go."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from load import App, running
from PIL import Image
from strangers import API, Stranger, jpeg

pytest.importorskip("ray")
from cluster import WAIT, Cast, crowd, until

SHORT = {"size": 128, "iterations": 30}
LONG = {"size": 128, "iterations": 1000}


@pytest.fixture(scope="module")
def cast(tmp_path_factory) -> Iterator[Cast]:
    cast = Cast(tmp_path_factory.mktemp("cluster"))
    try:
        yield cast
    finally:
        cast.end()


@pytest.fixture(scope="module")
def pages(cast) -> tuple[App, App]:
    """Two page processes, on a cluster with one painter so far."""
    pages = cast.page("one", NST_MAX_EACH="2"), cast.page("two", NST_MAX_EACH="2")
    for page in pages:
        page.wait()
    until(lambda: len(cast.painters()) == 1, "the first painter is there")
    return pages


def begun(app: App, address: str, **given: Any) -> tuple[Stranger, str]:
    """Begin a run as a program; return who did and its number."""
    somebody = Stranger(app.url, address)
    picture = somebody.sent(jpeg())
    status, told = somebody.call(photo=picture, style=picture, **given)
    assert status == 200
    return somebody, told["event_id"]


def result(run: tuple[Stranger, str]) -> str:
    return run[0].result(run[1], WAIT)


def deaths(pages: tuple[App, App]) -> int:
    """Return how often a run has lost its painter so far."""
    return sum(page.log.read_text().count("a painter has died over a run") for page in pages)


@contextlib.contextmanager
def results(runs: list[tuple[Stranger, str]]) -> Iterator[list[str]]:
    """Listen to runs; all results are there when the context has ended."""
    told: list[str] = []
    with ThreadPoolExecutor() as listeners:
        coming = listeners.map(result, runs)
        yield told
        told += coming


def heard(run: tuple[Stranger, str]) -> http.client.HTTPConnection:
    """Listen to a run until the connection is closed."""
    connection = http.client.HTTPConnection(run[0].host, timeout=WAIT)
    connection.request("GET", f"{API}/call/v2/stylize/{run[1]}", headers={"X-Forwarded-For": run[0].address})
    return connection


@contextlib.contextmanager
def under_way(app: App, runs: list[tuple[Stranger, str]]) -> Iterator[None]:
    """Listen to long runs for as long as the context lasts; then all is quiet again."""
    connections = [heard(run) for run in runs]
    try:
        yield
    finally:
        for connection in connections:
            connection.close()
        until(lambda: app.counts() == (0, 0), "whoever was hung up on has ended")


@pytest.mark.full
def test_two_pages_have_one_queue_one_quota_and_a_node_that_joins_is_used(cast, pages):
    one, two = pages
    visits = (one, "5.0.0.1"), (two, "5.0.0.1"), (one, "5.0.0.2")
    with under_way(one, [begun(*visit, **LONG) for visit in visits]):
        # One painter: one paints, whichever page it came by, and both pages say so.
        until(lambda: one.counts() == two.counts() == (1, 2), "one paints and two wait")
        assert "You have 2 paintings under way" in result(begun(two, "5.0.0.1", **SHORT))
        cast.grow()
        until(lambda: one.counts() == two.counts() == (2, 1), "the new node is used")
        assert len(cast.painters()) == 2


@pytest.mark.full
def test_visitors_of_two_pages_are_served_in_their_order(pages):
    found = crowd(list(pages), 20, size=64, iterations=10)
    assert found["painted"] == 20, found
    # Two painters, and each visitor's own reading of pictures.
    assert found["places that somebody was served too late, at most"] <= 8, found


@pytest.mark.full
def test_a_painter_that_is_killed_loses_no_painting(cast, pages):
    one, two = pages
    before = deaths(pages)
    runs = [begun(app, "7.7.7.7", size=128, iterations=150) for app in (one, two)]
    with results(runs) as told:
        until(lambda: one.counts() == (2, 0), "both are painted")
        time.sleep(1.0)
        os.kill(cast.painters()[0], signal.SIGKILL)
    for text in told:
        assert "event: complete" in text
        last = json.loads(text.split("data: ")[-1])
        path = next(iter(last.values())) if isinstance(last, dict) else last[0]
        assert Image.open(path["path"] if isinstance(path, dict) else path).size == (128, 85)
    until(lambda: len(cast.painters()) == 2, "another one was hired")
    assert deaths(pages) - before == 1  # nobody was sent to the dead one again
    assert "Traceback" not in one.log.read_text() + two.log.read_text()


@pytest.mark.full
def test_a_queue_that_is_killed_loses_no_painting(cast, pages):
    one, two = pages
    runs = [begun(app, "7.7.7.6", size=128, iterations=150) for app in (one, two)]
    with results(runs) as told:
        until(lambda: one.counts() == (2, 0), "both are painted")
        os.kill(cast.scheduler(), signal.SIGKILL)  # and with it go all painters
    assert all("event: complete" in text for text in told), told


@pytest.mark.full
def test_each_gpu_of_a_node_has_a_painter_and_what_has_none_gives_way(cast, pages):
    """Cores that hold what Ray takes for a GPU: who has which is Ray's, and what is painted is the same."""
    one, two = pages
    before = set(cast.painters())
    cast.grow(gpus=2)
    until(lambda: len(set(cast.painters()) - before) == 2, "each GPU has its painter")
    until(lambda: not before & set(cast.painters()), "those without one are dismissed")
    with under_way(two, [begun(app, "7.7.8.8", **LONG) for app in pages]):
        until(lambda: one.counts() == two.counts() == (2, 0), "both paint at once")


@pytest.mark.full
def test_a_page_that_is_killed_frees_its_painters_for_the_others(cast, pages):
    one, two = pages
    listening = [heard(begun(one, "8.8.4.4", **LONG)) for _ in range(2)]
    until(lambda: two.counts() == (2, 0), "both painters work for the first page")
    one.kill()
    assert "event: complete" in result(begun(two, "8.8.4.5", **SHORT))
    until(lambda: two.counts() == (0, 0), "nobody is thought to paint")
    for connection in listening:
        connection.close()


def test_a_cluster_of_ones_own_paints_listens_on_this_machine_alone_and_writes_no_token(tmp_path):
    with running(NST_CLUSTER="local", HOME=str(tmp_path)) as app:
        mine = below(app.process.pid)
        assert len(mine) > 4
        open_to_all = [place for pid in mine for place in listening(pid) if not place.endswith("0100007F")]
        assert not open_to_all
        assert not list(tmp_path.rglob("*token*"))
        assert "event: complete" in result(begun(app, "9.9.9.9", **SHORT))
        assert app.end() < 20


def below(pid: int) -> set[int]:
    """Return a process and all that it has started."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def listening(pid: int) -> list[str]:
    """Return the addresses that a process listens on, in the kernel's own hexadecimal."""
    with contextlib.suppress(OSError):
        names = {str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()}
        tables = [Path(f"/proc/{pid}/net/{kind}").read_text() for kind in ("tcp", "tcp6")]
        lines = [line.split() for table in tables for line in table.splitlines()]
        open_here = [line for line in lines if line[3] == "0A" and f"socket:[{line[9]}]" in names]
        return [line[1].partition(":")[0] for line in open_here]
    return []


def test_without_ray_nothing_of_it_is_imported_and_who_wants_it_is_told(tmp_path):
    code = "import sys, nst.painters.actors; sys.exit('gradio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
    code = (
        "import sys; from nst.page.server import main; loaded = {name.split('.')[0] for name in sys.modules}"
    )
    code += "; sys.modules['ray'] = None; sys.exit(1 if 'ray' in loaded else main([]))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "NST_CLUSTER": "local", "GRADIO_TEMP_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.strip().endswith("NST_CLUSTER needs Ray; install it with: pip install ray")


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
