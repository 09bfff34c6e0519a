"""What a program finds that uses the library: looked at from inside a process of its own."""

import os
import subprocess
import sys
from unittest.mock import Mock

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
import time
from nst.host.allocator import give_back_when_idle, keep_freed
resident = lambda: int(open("/proc/self/statm").read().split()[1]) * 4096
kept = lambda: resident() - before > 30_000_000
if keep_freed():  # with glibc
    before = resident()
    torch.ones(10_000_000)  # 40 MB, which glibc would give back at once
    assert kept(), "the next iteration would have it cleared anew"
    for _ in range(3):  # whoever goes on meanwhile keeps it
        give_back_when_idle(0.2)
        time.sleep(0.1)
    assert kept(), "it is given back too early"
    time.sleep(0.4)
    assert not kept(), "it is not given back later"
"""


def test_a_program_stays_as_it_is_and_may_keep_its_buffers():
    given = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    given["ONEDNN_MAX_CPU_ISA"] = "AVX2"
    command = [sys.executable, "-c", CHANGES_NOTHING + KEEPS_BUFFERS]
    done = subprocess.run(command, cwd=ROOT, env=given, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_where_no_thread_can_be_started_a_finished_painting_is_not_lost(monkeypatch):
    monkeypatch.setattr("threading.Thread.start", Mock(side_effect=RuntimeError("can't start new thread")))
    monkeypatch.setattr(allocator, "_keeps", True)
    allocator.give_back_when_idle()
