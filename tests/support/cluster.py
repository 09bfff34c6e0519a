"""A Ray cluster on this machine, with page processes on it; as a command, what two painters give against one.

python tests/support/cluster.py --visitors 20
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import psutil
from app_process import ROOT, App, running
from load import crowd
from pictures import jpeg
from PIL import Image
from ray.cluster_utils import Cluster
from waiting import eventually

WAIT = 90.0
# Ray's workers give way to everything else on a machine; beside other work they would hardly get on.
os.environ.setdefault("RAY_worker_niceness", "0")


@contextlib.contextmanager
def two_pages(**environment: str) -> Iterator[tuple[Cluster, App, App]]:
    """Yield a cluster that begins with one node of one core, and two page processes that paint in it."""
    head = {"num_cpus": 1, "num_gpus": 0, "include_dashboard": False}
    with contextlib.ExitStack() as stack:
        cluster = Cluster(initialize_head=True, head_node_args=head)
        stack.callback(cluster.shutdown)
        own = {"NST_CLUSTER": cluster.address, "NST_GRACE_SECONDS": "5", **environment}
        pages = [stack.enter_context(running(**own)) for _ in range(2)]
        eventually(lambda: len(actors("Painter")) == 1, "the first painter is there", WAIT)
        yield cluster, *pages


def actors(name: str) -> list[int]:
    """Return the processes of a kind of Ray's actors."""
    processes, title = psutil.process_iter(["cmdline"]), f"ray::{name}Actor"
    return [one.pid for one in processes if " ".join(one.info["cmdline"] or ()).startswith(title)]


def in_order(urls: list[str], visitors: int, **settings: Any) -> dict[str, Any]:
    """Have visitors come one shortly after the other; return what became of them."""
    began = time.monotonic()
    visits = crowd(urls, visitors, ["stays"], 0.3, **settings)
    seconds = time.monotonic() - began
    order = sorted(range(visitors), key=lambda number: visits[number].began + visits[number].last)
    return {
        "painted": sum(one.outcome == "painted" for one in visits),
        "seconds": round(seconds, 1),
        "paintings a minute": round(60 * visitors / seconds, 2),
        "places that somebody was served too late, at most": max(
            place - number for place, number in enumerate(order)
        ),
    }


def only_paint(painters: int, paintings: int, **settings: Any) -> float:
    """Return the seconds that so many processes take for the crowd's paintings, without pages or Ray."""
    with ProcessPoolExecutor(painters, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(_paint, [settings] * painters))  # so that all is warm
        began = time.monotonic()
        list(pool.map(_paint, [settings] * paintings))
        return time.monotonic() - began


def _paint(settings: dict[str, Any]) -> None:
    from nst import Settings, stylize

    photo, style = (Image.open(io.BytesIO(jpeg(*size))) for size in ((800, 600), (600, 800)))
    for _ in stylize(photo, [style], Settings(**settings)):
        pass


def main() -> None:
    """Print what one painter does for a crowd, and two; and what two processes do that only paint."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--size", type=int, default=argparse.SUPPRESS, help="otherwise as on the page")
    parser.add_argument("--iterations", type=int, default=argparse.SUPPRESS, help="likewise")
    parser.add_argument("--turns", type=int, default=3, help="of each, as machines change pace")
    given = vars(parser.parse_args())
    visitors, turns = given.pop("visitors"), range(given.pop("turns"))
    os.environ["OMP_NUM_THREADS"] = "1"
    sys.path.insert(0, str(ROOT))

    with two_pages() as (cluster, *pages):
        urls = [page.url for page in pages]

        def by_page(painters: int) -> float:
            eventually(lambda: len(actors("Painter")) == painters, f"painters: {painters}", WAIT)
            in_order(urls, 2 * painters, **given)  # so that all is warm
            found = in_order(urls, visitors, **given)
            print(json.dumps({"painters": painters, **found}), flush=True)
            return found["seconds"]

        gains = []
        for _ in turns:
            one, node = by_page(1), cluster.add_node(num_cpus=1, num_gpus=0)
            gains.append(one / by_page(2))
            cluster.remove_node(node)
    only = [only_paint(1, visitors, **given) / only_paint(2, visitors, **given) for _ in turns]
    for name, each in (("painters", gains), ("processes that only paint", only)):
        by_turn = ", ".join(f"{gain:.2f}" for gain in each)
        print(f"two {name} against one: {statistics.median(each):.2f} (turn by turn {by_turn})")


if __name__ == "__main__":
    main()
