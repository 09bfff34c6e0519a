"""Whether freed memory stays at hand, seen from the page faults of a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest
from conftest import ROOT

SCRIPT = """
import resource
import time
import torch
from nst.host.allocator import give_back, give_back_when_idle, keep_freed

faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
buffer = lambda: torch.ones(10_000_000)  # 40 MB: glibc maps these one by one
def taken():
    for _ in range(20):  # until small ones lie between them no more
        buffer()
    before = faults()
    for _ in range(5):
        buffer()
    return faults() - before
print(taken())
if not keep_freed():
    print("no glibc")
    raise SystemExit
print(taken())
resident = lambda: int(open("/proc/self/statm").read().split()[1]) * 4096
kept = resident()
give_back()
print(kept - resident())
buffer()
for _ in range(3):  # whoever goes on meanwhile keeps it
    give_back_when_idle(0.2)
    time.sleep(0.1)
kept = resident()
time.sleep(0.4)
print(kept - resident())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts page faults as Linux does")
def test_buffers_are_not_cleared_anew_and_can_be_given_back():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True
    )
    if "no glibc" in done.stdout:
        pytest.skip("not glibc")
    without, kept, returned, returned_later = map(int, done.stdout.split())
    assert kept < 100
    assert without > 10 * max(kept, 10)
    assert returned > 30_000_000
    assert returned_later > 30_000_000
