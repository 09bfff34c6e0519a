"""How much memory a painting takes, and what is painted where there is less."""

import subprocess
import sys

from makers import finished

from nst import Settings
from nst.optimization import memory_plan
from nst.optimization.memory_plan import needed
from nst.vgg.encoder import Encoder

MEASURE = """
import torch
from nst.host.allocator import keep_freed
from nst.host.memory import peak
from nst.optimization.encoders import load_encoders
from nst.optimization.memory_plan import needed
from nst.optimization.objective import Objective
from nst.optimization.optimizers import LBFGS
from nst.settings import Settings

def iterate(width, height, blocks):
    photo = torch.rand(1, 3, height, width)
    objective, canvas = Objective(encoder, photo, [photo.clone()], Settings(), blocks=blocks), photo.clone()
    optimizer = LBFGS.preconditioned(canvas)
    optimizer.memory.fill_(0)  # as if all steps were remembered: untouched pages take no memory
    evaluation = objective(canvas)
    optimizer.step(evaluation.loss, evaluation.gradient)
    return peak()

keep_freed()
(encoder,) = load_encoders(Settings(encoder="narrow"))
before = iterate(64, 48, 0)
print((iterate(384, 288, 2) - before) / needed(encoder, 384, 288, blocks=2))
"""


def test_a_plan_is_not_exceeded_and_not_out_of_all_proportion():
    """In this processor's own number format."""
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert 0.4 < float(done.stdout) <= 1


def test_a_painting_that_would_not_fit_is_planned_smaller(encoder, photo, painting, monkeypatch):
    sizes = []
    look = Encoder.look

    def spy(self, value, *blocks):
        sizes.append(max(value.shape[-2:]))
        return look(self, value, *blocks)

    monkeypatch.setattr(Encoder, "look", spy)
    monkeypatch.setattr(memory_plan, "available", lambda: needed(encoder, 160, 107))
    frame = finished(photo, painting, Settings(size=256, iterations=20), encoder=encoder)
    assert 128 < frame.width == max(sizes) <= 160
    assert f"not enough memory for 256 px, so this is painted at {frame.width} px" in frame.notice
    # Where the system does not say how much there is, it paints.
    monkeypatch.setattr(memory_plan, "available", lambda: None)
    frame = finished(photo, painting, Settings(size=96, iterations=10), encoder=encoder)
    assert (frame.width, frame.notice) == (96, "")
