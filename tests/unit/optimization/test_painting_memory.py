"""How much memory a painting takes, and what is painted where there is less."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from makers import finished

from nst import Settings
from nst.host.device import pick_precision
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

def iterate(width, height, strips):
    photo = torch.rand(1, 3, height, width)
    objective, canvas = Objective(encoder, photo, [photo.clone()], Settings(), strips=strips), photo.clone()
    optimizer = LBFGS.preconditioned(canvas)
    optimizer.memory.fill_(0)  # as if all steps were remembered: untouched pages take no memory
    evaluation = objective(canvas)
    optimizer.step(evaluation.loss, evaluation.gradient)
    return peak()

keep_freed()
strips = int(sys.argv[1])
for precision in sys.argv[2:]:
    if os.fork():
        os.wait()
        continue
    encoders.pick_precision = lambda device: getattr(torch, precision)
    (encoder,) = load_encoders(Settings(encoder="narrow"))
    before = iterate(64, 48, 1)
    share = (iterate(384, 288, strips) - before) / needed(encoder, 384, 288, strips=strips)
    print(encoder.precision, share, flush=True)
    os._exit(0)
"""


# bfloat16 only where the processor multiplies it: emulated, it takes long, and other memory.
PRECISIONS = {"float32", str(pick_precision(torch.device("cpu"))).removeprefix("torch.")}


@pytest.mark.parametrize("strips", [pytest.param(1, marks=pytest.mark.full), 4])
def test_a_plan_is_not_exceeded_and_not_out_of_all_proportion(strips):
    command = [sys.executable, "-c", MEASURE, str(strips), *sorted(PRECISIONS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = [line.split() for line in done.stdout.splitlines()]
    assert {precision for precision, _ in found} == {f"torch.{precision}" for precision in PRECISIONS}
    assert all(0.4 < float(share) <= 1 for _, share in found), done.stdout


def test_more_strips_need_less_and_more_pixels_or_remembered_moves_more(encoder):
    needs = [needed(encoder, 1024, 1024, strips=strips) for strips in (1, 4, 8, 16)]
    assert needs == sorted(needs, reverse=True)
    large, small = (needed(encoder, side, side) - memory_plan.ONCE for side in (512, 256))
    assert large == pytest.approx(4 * small, rel=0.01)
    needs = {steps: needed(encoder, 512, 512, steps=steps) for steps in (1, 4, 13, 80)}
    assert needs[4] - needs[1] == 3 * 2 * (4 * 3 * 512 * 512)
    assert needs[80] == needs[13] == needed(encoder, 512, 512) > needs[4]


def test_a_painting_that_would_not_fit_is_planned_smaller(encoder, photo, painting, monkeypatch):
    sizes = []
    activations = Encoder.activations

    def spy(self, image, layers):
        sizes.append(max(image.shape[-2:]))
        return activations(self, image, layers)

    monkeypatch.setattr(Encoder, "activations", spy)
    monkeypatch.setattr(memory_plan, "available", lambda: needed(encoder, 160, 107))
    frame = finished(photo, painting, Settings(size=256, iterations=20), encoder=encoder)
    assert 128 < frame.width == max(sizes) <= 160
    assert f"not enough memory for 256 px, so this is painted at {frame.width} px" in frame.notice
    # Where the system does not say how much there is, it paints.
    monkeypatch.setattr(memory_plan, "available", lambda: None)
    frame = finished(photo, painting, Settings(size=96, iterations=10), encoder=encoder)
    assert (frame.width, frame.notice) == (96, "")
