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
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from app_process import ROOT, App
from PIL import Image
from ray.cluster_utils import Cluster
from strangers import Stranger, jpeg

WAIT = 90.0
# Ray's workers give way to everything else on a machine; beside other work they would hardly get on.
os.environ.setdefault("RAY_worker_niceness", "0")


def until(condition: Callable[[], Any], what: str, seconds: float = WAIT) -> Any:
    """Return what a condition becomes.

    Raises:
        AssertionError: it stays false for long.
    """
    began = time.monotonic()
    while not (found := condition()):
        assert time.monotonic() - began < seconds, what
        time.sleep(0.1)
    return found


class Cast:
    """A cluster that begins with one node of one core, and the page processes that paint in it.

    Args:
        folder: for their files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "num_gpus": 0, "include_dashboard": False}
        )
        self.apps: list[App] = []

    def page(self, name: str, **environment: str) -> App:
        """Start a page process; it is there when it has been waited for."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        app = App(folder, NST_CLUSTER=self.cluster.address, NST_GRACE_SECONDS="5", **environment)
        self.apps.append(app)
        return app

    def grow(self, gpus: int = 0) -> Any:
        """Have one more node of one core, which says that it has so many GPUs; return it."""
        return self.cluster.add_node(num_cpus=1, num_gpus=gpus)

    def painters(self) -> list[int]:
        """Return the processes that are painters."""
        return _processes("ray::PainterActor")

    def scheduler(self) -> int:
        """Return the process that has the queue."""
        return _processes("ray::SchedulerActor")[0]

    def end(self) -> None:
        """End all of it."""
        for app in self.apps:
            app.kill()
        self.cluster.shutdown()


def _processes(name: str) -> list[int]:
    """Return the processes that go by such a name."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_text().startswith(name):
                found.append(int(path.parent.name))
    return found


def crowd(pages: list[App], visitors: int, **settings: Any) -> dict[str, Any]:
    """Have visitors come one shortly after the other, by all pages in turn; return what became of them."""
    order: list[int] = []  # in which they were served
    broken: list[str] = []

    def visit(number: int) -> None:
        somebody = Stranger(pages[number % len(pages)].url, f"5.6.{number}.1")
        photo = somebody.sent(jpeg(240, 160, seed=number))
        told = somebody.painted(600, photo=photo, style=photo, **settings)
        if "event: complete" in told:
            order.append(number)
        else:
            broken.append(told[-200:])

    began = time.monotonic()
    with ThreadPoolExecutor(visitors) as threads:
        for number in range(visitors):
            threads.submit(visit, number)
            time.sleep(0.15)
    seconds = time.monotonic() - began
    late = [place - number for place, number in enumerate(order)]
    return {
        "painted": len(order),
        "broken": broken,
        "seconds": round(seconds, 1),
        "paintings a minute": round(60 * len(order) / seconds, 2),
        "places that somebody was served too late, at most": max(late, default=0),
        "in the mean": round(statistics.fmean(map(abs, late)), 2) if late else 0,
    }


def plain(painters: int, paintings: int, **settings: Any) -> float:
    """Return the seconds that so many processes take for the crowd's paintings, without pages or Ray."""
    context = multiprocessing.get_context("spawn")
    warm = context.Barrier(painters + 1)
    shares = [paintings // painters + (number < paintings % painters) for number in range(painters)]
    processes = [
        context.Process(target=_paint, args=(warm, share, settings), daemon=True) for share in shares
    ]
    for process in processes:
        process.start()
    warm.wait(WAIT)
    began = time.monotonic()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    return time.monotonic() - began


def _paint(warm: threading.Barrier, often: int, settings: dict[str, Any]) -> None:
    """Paint as often as that, once all are ready to."""
    sys.path.insert(0, str(ROOT))
    from nst import Settings, stylize
    from nst.painters.local import warm_up

    photo = Image.open(io.BytesIO(jpeg(240, 160)))
    warm_up()
    warm.wait()
    for _ in range(often):
        for _ in stylize(photo, [photo], Settings(**settings)):
            pass


def main() -> None:
    """Print what one painter does for a crowd, and two; and what two processes do that only paint."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--size", type=int, help="otherwise as on the page")
    parser.add_argument("--iterations", type=int, help="otherwise as on the page")
    parser.add_argument(
        "--turns", type=int, default=3, help="of one painter and of two, as machines change pace"
    )
    chosen = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    given = {name: value for name in ("size", "iterations") if (value := getattr(chosen, name)) is not None}
    seconds: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        cast = Cast(Path(folder))
        try:
            pages = [cast.page(name) for name in ("one", "two")]
            for page in pages:
                page.wait()

            def measure(painters: int) -> None:
                until(lambda: len(cast.painters()) == painters, f"painters: {painters}")
                crowd(pages, 2 * painters, **given)  # so that all is warm
                found = crowd(pages, chosen.visitors, **given)
                seconds[painters].append(found["seconds"])
                print(json.dumps({"painters": painters, **found}), flush=True)

            for _ in range(chosen.turns):
                measure(1)
                node = cast.grow()
                measure(2)
                cast.cluster.remove_node(node)
        finally:
            cast.end()
    alone: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(chosen.turns):
        for painters, taken in alone.items():
            taken.append(plain(painters, chosen.visitors, **given))
            told = {"processes that only paint": painters, "seconds": round(taken[-1], 1)}
            print(json.dumps(told), flush=True)
    print("two painters against one:", _against(seconds))
    print("two processes that only paint against one:", _against(alone))


def _against(seconds: dict[int, list[float]]) -> str:
    """Return what the second one gave, in the median and turn by turn."""
    each = [one / two for one, two in zip(seconds[1], seconds[2], strict=True)]
    return f"{statistics.median(each):.2f} (turn by turn {', '.join(f'{gain:.2f}' for gain in each)})"


if __name__ == "__main__":
    main()
