"""What a program finds that uses the library: looked at from inside a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest
from conftest import ROOT

from nst.host import allocator

SCRIPT = """
import json, os, resource, sys, time

found, before = {}, dict(os.environ)
import nst
nst.stylize
found["changed"] = dict(os.environ) != before
import nst.painting, nst.vgg.weights
found["torchvision"] = "torchvision" in sys.modules

import torch
from nst.host.device import pick_precision
found["precision"] = str(pick_precision(torch.device("cpu")))

from nst.host.allocator import give_back, give_back_when_idle, keep_freed
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
resident = lambda: int(open("/proc/self/statm").read().split()[1]) * 4096
buffer = lambda: torch.ones(10_000_000)  # 40 MB: glibc maps these one by one
def taken():
    for _ in range(20):  # until small ones lie between them no more
        buffer()
    before = faults()
    for _ in range(5):
        buffer()
    return faults() - before
found["cleared"] = taken()
if keep_freed():
    found["kept"] = taken()
    held = resident()
    give_back()
    found["returned"] = held - resident()
    buffer()
    for _ in range(3):  # whoever goes on meanwhile keeps it
        give_back_when_idle(0.2)
        time.sleep(0.1)
    held = resident()
    time.sleep(0.4)
    found["returned later"] = held - resident()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found():
    given = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    given["ONEDNN_MAX_CPU_ISA"] = "AVX2"
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_nothing_of_the_program_is_changed_nor_of_what_it_starts(found):
    assert not found["changed"]


def test_nobody_waits_for_torchvision(found):
    assert not found["torchvision"]


def test_bfloat16_that_is_emulated_is_not_used(found):
    """Whatever the processor's flags say, held to AVX2 it multiplies none."""
    assert found["precision"] == "torch.float32"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts page faults as Linux does")
def test_buffers_are_not_cleared_anew_and_can_be_given_back(found):
    if "kept" not in found:
        pytest.skip("not glibc")
    assert found["kept"] < 100
    assert found["cleared"] > 10 * max(found["kept"], 10)
    assert found["returned"] > 30_000_000
    assert found["returned later"] > 30_000_000


def test_where_no_thread_can_be_started_nothing_is_lost(monkeypatch):
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    monkeypatch.setattr(allocator, "_keeps", True)
    allocator.give_back_when_idle()
