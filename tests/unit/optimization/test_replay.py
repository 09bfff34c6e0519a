"""Evaluations launched together, where there is a GPU: the same numbers as one by one."""

from __future__ import annotations

import logging

import pytest
import torch
from conftest import tiny_convolutions
from makers import finished

from nst import Settings
from nst.host.device import pick_device
from nst.optimization.objective import Objective
from nst.optimization.replay import GraphedObjective
from nst.vgg.encoder import Encoder

NEEDS_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def pictures(height: int = 48, width: int = 64) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    return tuple(torch.rand(1, 3, height, width, generator=generator).to(pick_device()) for _ in range(2))


@pytest.mark.parametrize("blocks", [0, 2])
@pytest.mark.parametrize("style_loss", ["gaussian", "gram"])
def test_every_call_evaluates_the_canvas_as_it_is(blocks, style_loss):
    photo, style = pictures(96)
    encoder = Encoder(tiny_convolutions(8), name="tiny", device=photo.device)
    objective = Objective(encoder, photo, [style], Settings(style_loss=style_loss), blocks=blocks)
    canvas = photo.clone()
    evaluate, made = GraphedObjective(objective, canvas), []
    for _ in range(6):
        canvas.lerp_(style, 0.1)
        made.append((evaluate(), objective(canvas.clone())))
    # Only now: what an earlier call returned is not written over by a later one.
    for step, (found, wanted) in enumerate(made):
        for name in ("loss", "gradient", "terms"):
            torch.testing.assert_close(
                getattr(found, name), getattr(wanted, name), rtol=1e-4, atol=1e-6, msg=f"{step}: {name}"
            )
    assert len({float(found.loss) for found, _ in made}) == len(made)
    assert (evaluate._graph is not None) == (photo.is_cuda and not blocks)


@NEEDS_GPU
def test_a_painting_with_graphs_is_the_same_each_time(caplog):
    photo, style = pictures(192, 256)
    with caplog.at_level(logging.WARNING):
        settings = Settings(size=256, iterations=40)
        paintings = [finished(photo.cpu(), style.cpu(), settings).image for _ in range(2)]
    assert not caplog.records
    assert (paintings[0] == paintings[1]).all()


@NEEDS_GPU
def test_what_cannot_be_recorded_is_evaluated_all_the_same(caplog):
    photo, style = pictures()

    class Looking(Objective):
        def __call__(self, image):
            float(image.sum())  # waits for the device, which a graph cannot
            return super().__call__(image)

    objective = Looking(Encoder(tiny_convolutions(8), name="tiny", device="cuda"), photo, [style], Settings())
    evaluate = GraphedObjective(objective, photo.clone())
    losses = [float(evaluate().loss) for _ in range(5)]
    assert losses == pytest.approx([losses[0]] * 5, rel=1e-4)
    assert len(caplog.records) == 1
