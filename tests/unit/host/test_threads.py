"""As many threads as there are cores for this process, in containers too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from nst.host import threads
from nst.host.cgroups import cpu_quota, memory_left


@pytest.fixture
def machine(tmp_path):
    """Return a function that writes what a kernel would say, and gives the arguments to read it."""

    def say(own: str, **files: str) -> dict[str, Path]:
        (tmp_path / "cgroup").write_text(own)
        for name, text in files.items():
            path = tmp_path / "root" / name.replace("__", "/").replace("_DOT_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return {"own": tmp_path / "cgroup", "root": tmp_path / "root"}

    return say


STAT = "anon 500\ninactive_file 300\ntotal_inactive_file 200\n"


def test_version_2_the_least_on_the_way_up(machine):
    there = machine(
        "0::/user/job/step\n",
        cpu_DOT_max="max 100000",
        user__cpu_DOT_max="150000 100000",
        user__job__cpu_DOT_max="300000 100000",
        user__job__step__cpu_DOT_max="max 100000",
        user__memory_DOT_max="5000",
        user__memory_DOT_current="1300",
        user__memory_DOT_stat=STAT,
        user__job__step__memory_DOT_max="max",
        user__job__step__memory_DOT_current="900",
        user__job__step__memory_DOT_stat=STAT,
    )
    assert cpu_quota(**there) == 1.5
    assert memory_left(**there) == 4000


def test_version_1_with_its_own_folder_for_each_controller(machine):
    there = machine(
        "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n",
        cpu__cpu_DOT_cfs_quota_us="-1",
        cpu__cpu_DOT_cfs_period_us="100000",
        cpu__docker__abc__cpu_DOT_cfs_quota_us="200000",
        cpu__docker__abc__cpu_DOT_cfs_period_us="100000",
        memory__docker__abc__memory_DOT_limit_in_bytes="1000",
        memory__docker__abc__memory_DOT_usage_in_bytes="1500",
        memory__docker__abc__memory_DOT_stat=STAT,
    )
    assert cpu_quota(**there) == 2.0
    assert memory_left(**there) == 0


def test_in_a_container_that_sees_the_hosts_path_the_top_counts(machine):
    there = machine(
        "0::/kubepods/pod1/abc\n",
        cpu_DOT_max="100000 100000",
        memory_DOT_max="2000",
        memory_DOT_current="500",
        memory_DOT_stat=STAT,
    )
    assert cpu_quota(**there) == 1.0
    assert memory_left(**there) == 1800


@pytest.mark.parametrize("own", ["", "nonsense", "0::/\n", "0::/../../etc\n", "7:pids:/x\n"])
def test_where_nothing_is_said_nothing_is_limited(machine, own):
    there = machine(own, other="")
    assert cpu_quota(**there) is None
    assert memory_left(**there) is None


@pytest.mark.parametrize(
    ("seen", "quota", "space", "count"),
    [(8, None, "", 8), (8, 2.0, "", 2), (8, 0.5, "", 1), (8, 2.9, "", 2), (8, 4.0, "2", 2), (1, 9.0, "x", 1)],
)
def test_the_least_of_affinity_quota_and_space(monkeypatch, seen, quota, space, count):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(seen)), raising=False)
    monkeypatch.setattr(threads, "cpu_quota", lambda: quota)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setenv("CPU_CORES", space)
    found: dict[str, str] = {}
    threads.prepare(found)
    assert found["OMP_NUM_THREADS"] == str(count)
    assert int(found["GOMP_SPINCOUNT"]) == (threads.ALONE if count == 8 else threads.SHARED)


def test_what_is_set_already_counts_more():
    given = {"OMP_NUM_THREADS": "7", "OMP_WAIT_POLICY": "ACTIVE"}
    threads.prepare(given)
    assert given == {"OMP_NUM_THREADS": "7", "OMP_WAIT_POLICY": "ACTIVE"}
    given = {"GOMP_SPINCOUNT": "5"}
    threads.prepare(given)
    assert given["GOMP_SPINCOUNT"] == "5"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import os, nst.page, torch; print(os.environ['OMP_NUM_THREADS'], torch.get_num_threads())", "1 1"),
        # A library changes nothing of the program that uses it, nor of what that starts.
        ("import os; was = dict(os.environ); import nst; nst.stylize; print(os.environ == was)", "True"),
    ],
)
def test_the_page_has_its_threads_and_a_library_leaves_them(code, told):
    given = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    given["CPU_CORES"] = "1"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=given, capture_output=True, text=True)
    assert done.stdout.strip() == told, done.stderr
