"""Memory: how much a painting takes and how much there is."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from conftest import tiny_convolutions
from makers import finished

from nst import Settings
from nst.host.device import pick_precision
from nst.host.memory import available
from nst.optimization import memory_plan
from nst.optimization.memory_plan import needed
from nst.vgg.encoder import Encoder

MEASURE = """
import os
import sys
import torch
from nst.optimization import encoders
from nst.optimization.memory_plan import needed
from nst.host.memory import peak
from nst.host.allocator import keep_freed
from nst.optimization.objective import Objective
from nst.optimization.optimizers import LBFGS
from nst.settings import Settings
from nst.optimization.encoders import load_encoders

def iterate(width, height, blocks):
    photo = torch.rand(1, 3, height, width)
    objective, canvas = Objective(encoder, photo, [photo.clone()], Settings(), blocks=blocks), photo.clone()
    optimizer = LBFGS.preconditioned(canvas)
    optimizer.memory.fill_(0)  # as if all steps were remembered: untouched pages take no memory
    evaluation = objective(canvas)
    optimizer.step(evaluation.loss, evaluation.gradient)
    return peak()

keep_freed()
blocks = int(sys.argv[1])
for precision in sys.argv[2:]:
    if os.fork():
        os.wait()
        continue
    encoders.pick_precision = lambda device: getattr(torch, precision)
    (encoder,) = load_encoders(Settings(encoder="narrow"))
    before = iterate(64, 48, 0)
    share = (iterate(384, 288, blocks) - before) / needed(encoder, 384, 288, blocks=blocks)
    print(precision, encoder.precision, share, flush=True)
    os._exit(0)
"""


# bfloat16 only where the processor multiplies it: emulated, it takes long, and other memory.
PRECISIONS = {"float32", str(pick_precision(torch.device("cpu"))).removeprefix("torch.")}


@pytest.mark.parametrize("blocks", [pytest.param(0, marks=pytest.mark.full), 2])
def test_a_plan_is_not_exceeded_and_not_out_of_all_proportion(blocks):
    command = [sys.executable, "-c", MEASURE, str(blocks), *sorted(PRECISIONS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    shares = [line.split() for line in done.stdout.splitlines()]
    assert [f"torch.{wanted}" for wanted, _, _ in shares] == [had for _, had, _ in shares]
    assert len(shares) == len(PRECISIONS), done.stderr
    assert all(0.4 < float(share) <= 1 for _, _, share in shares), done.stdout


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_more_blocks_in_strips_need_less(precision):
    wide = Encoder(tiny_convolutions(), name="wide", precision=precision)
    needs = [needed(wide, 1024, 1024, blocks=blocks) for blocks in range(3)]
    assert needs == sorted(needs, reverse=True)


def test_the_need_grows_with_pixels_and_with_the_moves_that_are_remembered(encoder):
    once, image = memory_plan.ONCE, 4 * 3 * 512 * 512
    assert needed(encoder, 512, 512) - once == pytest.approx(4 * (needed(encoder, 256, 256) - once), rel=0.01)
    needs = {steps: needed(encoder, 512, 512, steps=steps) for steps in (1, 4, 13, 80)}
    assert needs[4] - needs[1] == 3 * 2 * image
    assert needs[13] - needs[4] == 9 * 2 * image
    assert needs[80] == needs[13] == needed(encoder, 512, 512)


def test_what_is_left_is_the_least_of_machine_and_container(tmp_path):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:       16000000 kB\nMemAvailable:    8000000 kB\nHugePages_Total:  0\n")
    assert available(meminfo, lambda: None) == 8_000_000 * 1024
    assert available(meminfo, lambda: 400) == 400
    assert available(tmp_path / "none", lambda: 400) == 400
    assert available(tmp_path / "none", lambda: None) is None


def test_a_painting_that_would_not_fit_is_planned_smaller(encoder, photo, painting, monkeypatch):
    sizes = []
    look = Encoder.look

    def spy(self, value, *blocks):
        sizes.append(max(value.shape[-2:]))
        return look(self, value, *blocks)

    monkeypatch.setattr(Encoder, "look", spy)
    monkeypatch.setattr(memory_plan, "available", lambda: needed(encoder, 160, 107))
    frame = finished(photo, painting, Settings(size=256, iterations=20), encoder=encoder)
    assert 128 < frame.width <= 160
    assert max(sizes) <= 160
    assert f"not enough memory for 256 px, so this is painted at {frame.width} px" in frame.notice


def test_where_the_system_does_not_say_it_paints(encoder, photo, painting, monkeypatch):
    monkeypatch.setattr(memory_plan, "available", lambda: None)
    frame = finished(photo, painting, Settings(size=96, iterations=10), encoder=encoder)
    assert (frame.width, frame.notice) == (96, "")
