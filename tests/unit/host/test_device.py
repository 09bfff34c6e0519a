"""Which device computes, and in which precision."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
import torch
from conftest import ROOT

from nst import InputError
from nst.host import allocator
from nst.host.device import pick_device


@pytest.mark.parametrize("name", ["cuda:17", "xpu", "gpu", "cpu:x", "7"])
def test_a_device_that_is_not_here_is_said(name, monkeypatch):
    with pytest.raises(InputError, match=f"There is no device '{name}' here; there are auto, cpu"):
        pick_device(name)
    monkeypatch.setenv("NST_DEVICE", name)
    with pytest.raises(InputError, match="There is no device"):
        pick_device()


def test_one_that_is_here_is_taken(monkeypatch):
    assert pick_device("cpu") == pick_device(" CPU ") == torch.device("cpu")
    assert pick_device() == pick_device("auto")
    monkeypatch.setenv("NST_DEVICE", "cpu")
    assert pick_device() == torch.device("cpu")


def test_bfloat16_that_is_emulated_is_not_used():
    """Whatever the processor's flags say, held to AVX2 it multiplies none."""
    code = "import torch; from nst.host.device import pick_precision as p; print(p(torch.device('cpu')))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "torch.float32\n"


def test_where_no_thread_can_be_started_nothing_is_lost(monkeypatch):
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    monkeypatch.setattr(allocator, "_keeps", True)
    allocator.give_back_when_idle()
