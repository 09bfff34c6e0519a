"""Evaluations launched together, where there is a GPU: the same numbers as one by one."""

import pytest
import torch
from conftest import tiny_convolutions
from makers import finished, noise

from nst import Settings
from nst.optimization.objective import Objective
from nst.optimization.replay import GraphedObjective
from nst.vgg.encoder import Encoder

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def pictures(height: int, width: int) -> list[torch.Tensor]:
    return [noise(height, width, seed).cuda() for seed in (3, 4)]


@pytest.mark.parametrize(("blocks", "style_loss"), [(0, "gaussian"), (0, "gram"), (2, "gaussian")])
def test_every_call_evaluates_the_canvas_as_it_is(blocks, style_loss):
    photo, style = pictures(96, 64)
    encoder = Encoder(tiny_convolutions(8), name="tiny", device="cuda")
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
    assert (evaluate._graph is not None) == (not blocks)


def test_a_painting_with_graphs_is_the_same_each_time_and_goes_on_without(caplog):
    photo, style = pictures(192, 256)
    settings = Settings(size=256, iterations=40)
    first, second = (finished(photo.cpu(), style.cpu(), settings).image for _ in range(2))
    assert (first == second).all()
    assert not caplog.records

    class Looking(Objective):
        def __call__(self, image):
            float(image.sum())  # waits for the device, which cannot be recorded
            return super().__call__(image)

    encoder = Encoder(tiny_convolutions(8), name="tiny", device="cuda")
    evaluate = GraphedObjective(Looking(encoder, photo, [style], Settings()), photo.clone())
    losses = [float(evaluate().loss) for _ in range(5)]
    assert losses == pytest.approx([losses[0]] * 5, rel=1e-4)
    assert len(caplog.records) == 1
