"""A Ray cluster on this machine, with page processes on it; as a command, what two painters give against one.

python tests/support/cluster.py --visitors 20
"""

import argparse
import contextlib
import os
import statistics
import time
from collections.abc import Iterator

import psutil
from app_process import App, running
from load import crowd
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


def main() -> None:
    """Print what two painters give against one."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visitors", type=int, default=20)
    parser.add_argument("--iterations", type=int, default=argparse.SUPPRESS, help="otherwise as on the page")
    given = vars(parser.parse_args())
    visitors, gains = given.pop("visitors"), []
    os.environ["OMP_NUM_THREADS"] = "1"

    with two_pages() as (cluster, *pages):

        def seconds(painters: int) -> float:
            eventually(lambda: len(actors("Painter")) == painters, f"painters: {painters}", WAIT)
            for count in (2 * painters, visitors):  # the first ones so that all is warm
                began = time.monotonic()
                visits = crowd([page.url for page in pages], count, ["stays"], **given)
                assert {one.outcome for one in visits} == {"painted"}
            return time.monotonic() - began

        for _ in range(3):  # machines change pace
            alone, node = seconds(1), cluster.add_node(num_cpus=1, num_gpus=0)
            gains.append(round(alone / seconds(2), 2))
            cluster.remove_node(node)
    print(f"two painters against one: {statistics.median(gains)} (turn by turn {gains})")


if __name__ == "__main__":
    main()
