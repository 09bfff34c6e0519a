"""What computes, with as many threads as there are cores for this process, in containers too."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from conftest import ROOT

from nst import InputError
from nst.host import threads
from nst.host.cgroups import cpu_quota, memory_left
from nst.host.device import pick_device
from nst.host.shared_cores import SharedCores, busy_seconds

STAT = "anon 500\ninactive_file 300\ntotal_inactive_file 200\n"
VERSION_2 = {
    "cpu.max": "max 100000",
    "user/cpu.max": "150000 100000",
    "user/job/cpu.max": "300000 100000",
    "user/job/step/cpu.max": "max 100000",
    "user/memory.max": "5000",
    "user/memory.current": "1300",
    "user/memory.stat": STAT,
    "user/job/step/memory.max": "max",
    "user/job/step/memory.current": "900",
    "user/job/step/memory.stat": STAT,
}
# With a folder of its own for each controller.
VERSION_1 = {
    "cpu/cpu.cfs_quota_us": "-1",
    "cpu/cpu.cfs_period_us": "100000",
    "cpu/docker/abc/cpu.cfs_quota_us": "200000",
    "cpu/docker/abc/cpu.cfs_period_us": "100000",
    "memory/docker/abc/memory.limit_in_bytes": "1000",
    "memory/docker/abc/memory.usage_in_bytes": "1500",
    "memory/docker/abc/memory.stat": STAT,
}
# Of a container that sees the host's path but its own files at the top.
CONTAINER = {"cpu.max": "100000 100000", "memory.max": "2000", "memory.current": "500", "memory.stat": STAT}
NOTHING = {"other": ""}


@pytest.mark.parametrize(
    ("own", "files", "cores", "memory"),
    [
        ("0::/user/job/step\n", VERSION_2, 1.5, 4000),
        ("4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n", VERSION_1, 2.0, 0),
        ("0::/kubepods/pod1/abc\n", CONTAINER, 1.0, 1800),
        *((own, NOTHING, None, None) for own in ("", "nonsense", "0::/\n", "0::/../../etc\n", "7:pids:/x\n")),
    ],
)
def test_the_least_on_the_way_up_counts(tmp_path, own, files, cores, memory):
    there: dict[str, Path] = {"own": tmp_path / "cgroup", "root": tmp_path / "root"}
    there["own"].write_text(own)
    for name, text in files.items():
        path = there["root"] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert cpu_quota(**there) == cores
    assert memory_left(**there) == memory


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
    # What is set already counts more.
    for given in ({"OMP_NUM_THREADS": "7", "OMP_WAIT_POLICY": "ACTIVE"}, {"GOMP_SPINCOUNT": "5"}):
        found = dict(given)
        threads.prepare(found)
        assert found == {"OMP_NUM_THREADS": str(count), **given}


def test_the_page_has_its_threads_before_torch():
    code = "import os, sys, nst.page; print(os.environ['OMP_NUM_THREADS'], 'torch' in sys.modules)"
    given = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    given["CPU_CORES"] = "1"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=given, capture_output=True, text=True)
    assert done.stdout.strip() == "1 False", done.stderr


def test_a_device_that_is_here_is_taken_and_no_other(monkeypatch):
    assert pick_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    monkeypatch.setenv("NST_DEVICE", "cpu")
    assert pick_device() == pick_device(" CPU ") == torch.device("cpu")
    for name in ("cuda:17", "xpu", "cpu:x"):
        monkeypatch.setenv("NST_DEVICE", name)
        for asked in ((name,), ()):
            with pytest.raises(InputError, match=f"There is no device '{name}' here; there are auto, cpu"):
                pick_device(*asked)


def test_threads_are_fewer_by_the_cores_that_others_keep_busy():
    # Of 8 cores, each second: how long all were busy, and this process of that.
    clock, busy, own = iter(range(5)), iter([0, 8, 14, 22, 30]), iter([0, 8, 10, 11, 12])
    cores = SharedCores(8, 8, lambda: next(busy), lambda: next(own), lambda: next(clock))
    assert [cores.look() for _ in range(5)] == [8, 8, 4, 1, 1]
    assert SharedCores(8, busy=lambda: None).look() == 8  # a system that does not say


def test_what_is_busy_is_read_for_the_cores_of_this_process_alone(tmp_path):
    one = min(os.sched_getaffinity(0))
    (tmp_path / "stat").write_text(
        f"cpu  9 9 9 9 9\ncpu{one} 100 20 30 9000 50 1 2 7 0 0\ncpu999 900 0 0 0 0 0 0 0\n"
    )
    assert busy_seconds(tmp_path / "stat") == 160 / os.sysconf("SC_CLK_TCK")
    assert busy_seconds(tmp_path / "none") is None
