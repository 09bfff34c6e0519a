"""What a program finds that uses the library: looked at from inside a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

from conftest import ROOT

from nst.host import allocator

CHANGES_NOTHING = """
import os, sys
before = dict(os.environ)
import nst
nst.stylize
import nst.painting, nst.vgg.weights
assert dict(os.environ) == before  # nor anything of what it starts
assert "torchvision" not in sys.modules, "nobody waits for it"

import torch
from nst.host.device import pick_precision
# Whatever the processor's flags say, held to AVX2 it multiplies no bfloat16.
assert pick_precision(torch.device("cpu")) == torch.float32, "bfloat16 that is emulated is used"
"""
KEEPS_BUFFERS = """
import resource, time
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
cleared = taken()
if keep_freed():  # with glibc
    kept = taken()
    assert kept < 100 and cleared > 10 * max(kept, 10), (kept, cleared)
    held = resident()
    give_back()
    assert held - resident() > 30_000_000, "it is not given back"
    buffer()
    for _ in range(3):  # whoever goes on meanwhile keeps it
        give_back_when_idle(0.2)
        time.sleep(0.1)
    held = resident()
    time.sleep(0.4)
    assert held - resident() > 30_000_000, "it is not given back later"
"""


def test_a_program_stays_as_it_is_and_may_keep_its_buffers():
    given = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    given["ONEDNN_MAX_CPU_ISA"] = "AVX2"
    command = [sys.executable, "-c", CHANGES_NOTHING + KEEPS_BUFFERS]
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_where_no_thread_can_be_started_nothing_is_lost(monkeypatch):
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    monkeypatch.setattr(allocator, "_keeps", True)
    allocator.give_back_when_idle()
