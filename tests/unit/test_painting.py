"""The generator's contract."""

import time

import numpy as np
import pytest
import torch
from conftest import picture, tiny_convolutions
from makers import finished, noise
from PIL import Image

from nst import InputError, Settings, load_image, stylize
from nst.image.tensors import fit_area, resize, to_tensor
from nst.lab.quality import octaves
from nst.optimization.layer_views import compare
from nst.optimization.objective import Objective
from nst.vgg.encoder import Encoder

QUICK = {"size": 64, "iterations": 40, "smoothness": 0}


@pytest.fixture
def paint(encoder, photo, painting):
    """Return a function that gives the frames of a small painting, one for each iteration."""

    def frames(by=encoder, stop=bool, interval=0, **settings):
        chosen = Settings(**{**QUICK, **settings})
        return stylize(photo, painting, chosen, encoder=by, stop=stop, interval=interval)

    return frames


class Faulty:
    """An encoder that does something unwelcome when it is asked for gradients, and counts that.

    Args:
        inner: what it looks with.
        fault: takes the number of the call, the image's size and the blocks that see strips; returns what the
            features are multiplied by.
    """

    def __init__(self, inner: Encoder, fault=lambda call, size, blocks: 1.0) -> None:
        self.inner, self.fault, self.calls = inner, fault, 0

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def describe(self, image, content, style, masks=(None,), blocks=0, matrices=None):
        seen = self.inner.describe(image, content, style, masks, blocks, matrices)
        if not image.requires_grad:
            return seen
        self.calls += 1
        factor = self.fault(self.calls, max(image.shape[-2:]), blocks)
        return seen._replace(features={name: factor * value for name, value in seen.features.items()})


def test_frames_tell_the_story(paint):
    frames = list(paint())
    assert [frame.iteration for frame in frames] == [*range(1, 40), 40]
    assert [frame.final for frame in frames] == [False] * 39 + [True]
    assert {(frame.total, frame.target, frame.notice) for frame in frames} == {(40, (64, 43), "")}
    assert frames[-1].image.shape == (43, 64, 3)
    assert frames[-1].image.dtype == np.uint8
    assert [frame.remaining > 0 for frame in frames[1:]] == [True] * 38 + [False]
    assert frames[-1].losses["total"] < frames[0].losses["total"]
    assert frames[0].encoder == "tiny"
    assert frames[0].device in ("CPU", "GPU")


def test_losses_are_those_of_the_picture_shown(encoder, paint, photo, painting):
    # Adam keeps the pixels in range, so that what is seen in 8 bits is what was evaluated.
    *_, frame = paint(iterations=60, optimizer="adam", smoothness=5)
    content, style = (load_image(each) for each in (photo, painting))
    size = fit_area(style.shape[-1], style.shape[-2], 64 * 43)
    given = resize(content, (64, 43)).clamp(0, 1), [resize(style, size).clamp(0, 1)]
    seen = Objective(encoder, *given, frame.settings)(to_tensor(frame.image)).named()
    assert seen == pytest.approx(frame.losses, rel=0.1)


def test_a_slow_consumer_gets_fewer_frames(paint):
    slow = 0
    for _ in paint(interval=0.001):
        slow += 1
        time.sleep(0.03)
    assert slow <= 15  # of the 40 there are without an interval


def test_stop_keeps_the_picture_at_the_next_iteration(paint):
    frames = []
    for frame in paint(stop=lambda: len(frames) >= 7):
        frames.append(frame)
    assert frames[-1].final
    assert frames[-1].iteration == 8
    assert frames[-1].total == frames[0].total > 8  # of which it was that far
    assert frames[-1].image.any()
    (early,) = paint(size=256, stop=lambda: True)
    assert early.final
    assert early.image.shape == (171, 256, 3)  # a keepable size, though only the coarsest was begun


def test_the_clock_limits_a_run(encoder, paint):
    slow = Faulty(encoder, lambda *_: time.sleep(0.1) or 1.0)
    *_, frame = paint(slow, iterations=1000, time_limit=1)
    assert frame.final
    assert frame.seconds >= 1
    assert frame.iteration <= 12  # in a second, of a tenth each
    assert "time limit of 1 seconds" in frame.notice


def test_a_loss_that_is_not_finite_rolls_back_to_the_last_good_picture(encoder, paint):
    frames = list(paint(Faulty(encoder, lambda call, *_: torch.nan if call == 12 else 1.0)))
    assert frames[-1].iteration == 40
    assert frames[-1].losses["total"] < frames[0].losses["total"]
    assert "last good picture" in frames[-1].notice
    assert 12 not in [frame.iteration for frame in frames]
    # Those that stay broken end it.
    broken = Faulty(encoder, lambda call, *_: torch.nan if call >= 15 else 1.0)
    *_, frame = paint(broken, iterations=100, optimizer="adam")
    assert frame.final
    assert frame.iteration < 100
    assert np.isfinite(frame.losses["total"])
    assert frame.image.std() > 5


def refusing(limit: int, blocks: int = 100):
    """Return a fault: no memory for pictures above a size with fewer blocks that see strips."""

    def fault(call: int, size: int, seeing: int) -> float:
        if size > limit and seeing < blocks:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 99 bytes.")
        return 1.0

    return fault


# In three quarters again and again, and where the size below is as large as that, with it.
@pytest.mark.parametrize(("limit", "width"), [(80, 72), (70, 64)])
def test_running_out_of_memory_finishes_smaller_and_says_so(encoder, paint, limit, width):
    *_, frame = paint(Faulty(encoder, refusing(limit)), size=128, iterations=10)
    assert frame.final
    assert frame.target == (width, frame.height) == (frame.width, frame.height)
    assert f"not enough memory for 128 px, so this is painted at {width} px" in frame.notice


def test_running_out_of_memory_is_first_met_with_strips(encoder, paint):
    tight = Faulty(encoder, refusing(64, blocks=2))
    (*_, frame), (*_, whole) = (paint(by, size=128, iterations=15) for by in (tight, encoder))
    assert (frame.width, frame.notice) == (128, "")
    assert np.abs(frame.image.astype(int) - whole.image.astype(int)).mean() < 8


def test_no_memory_at_all_is_a_sentence_and_other_errors_are_not_swallowed(encoder, paint):
    with pytest.raises(InputError, match="not enough memory"):
        list(paint(Faulty(encoder, refusing(1))))
    with pytest.raises(ZeroDivisionError):
        list(paint(Faulty(encoder, lambda *_: 1 // 0)))


@pytest.mark.parametrize(
    ("optimizer", "style_loss"), [("lbfgs", "gaussian"), ("adam", "gram"), ("gradient-descent", "gaussian")]
)
def test_a_plain_sheet_of_colour_is_a_picture_too(encoder, optimizer, style_loss):
    black, white = torch.zeros(1, 3, 64, 64), torch.ones(1, 3, 64, 64)
    settings = Settings(size=64, iterations=10, optimizer=optimizer, style_loss=style_loss)
    for content, style in ((black, white), (white, black), (black, black)):
        frame = finished(content, style, settings, encoder=encoder)
        assert all(np.isfinite(value) for value in frame.losses.values())
    assert frame.image.max() < 8  # a gradient of about 0 moves nothing far


@pytest.mark.parametrize(("depth", "optimizer"), [(1, "lbfgs"), (3, "adam"), (13, "gradient-descent")])
def test_encoders_of_any_depth_and_every_optimizer_make_progress(paint, depth, optimizer):
    encoder = Encoder(tiny_convolutions(depth), name="tiny")
    first, *_, last = paint(encoder, coarse_to_fine=False, optimizer=optimizer)
    assert 0 < last.losses["total"] < 0.7 * first.losses["total"]


def test_a_second_encoder_finishes(encoder, paint, painting):
    other = Encoder(tiny_convolutions(8, seed=1), name="other")
    counting, finishing = Faulty(encoder), Faulty(other)
    *_, final = paint((counting, finishing), smoothness=5)
    *_, alone = paint(smoothness=5)
    assert final.encoder == f"{encoder.name}, then other"
    assert 0 < finishing.calls < counting.calls
    assert final.iteration == final.total == counting.calls + finishing.calls
    finer, coarser = (
        compare(to_tensor(frame.image), load_image(painting), frame.settings, other)
        for frame in (final, alone)
    )
    assert sum(view.residual for view in finer) < sum(view.residual for view in coarser)
    # Without memory for the second the first one's picture is kept.
    *_, frame = paint((encoder, Faulty(encoder, refusing(1))))
    assert (frame.final, frame.width) == (True, 64)
    assert "not enough memory to finish with" in frame.notice


def test_a_larger_canvas_begins_with_the_photos_detail(encoder):
    photo, style = noise(96, 128, seed=3), noise(64, 64, seed=4)
    frames = stylize(photo, style, Settings(size=128, iterations=10), encoder=encoder, interval=0)
    first = next(frame for frame in frames if frame.width == 128)
    assert octaves(to_tensor(first.image))["luminance 1"] > 0.5 * octaves(photo)["luminance 1"]


def test_a_panorama_with_the_thin_masks_and_frames_that_are_made_for_it(encoder):
    settings = Settings(size=800, iterations=10, style_layers="relu1_1 relu2_1", content_layer="relu2_1")
    given = {"keep": Image.new("L", (768, 15)), "resume": picture(512, 10, seed=3), "encoder": encoder}
    last = finished(picture(1600, 32, seed=1), picture(30, 600), settings, **given)
    assert last.image.shape[:2] == (16, 800)
