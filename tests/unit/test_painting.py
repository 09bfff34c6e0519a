"""The generator's contract."""

from __future__ import annotations

import contextlib
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
from nst.optimization.loss_terms import GaussianTarget, GramTarget, relative_error
from nst.optimization.objective import Objective
from nst.vgg.encoder import Encoder
from nst.vgg.moments import moments, moments_through

QUICK = {"size": 64, "iterations": 40, "smoothness": 0}
OUT_OF_MEMORY = RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 99 bytes.")


@pytest.fixture
def paint(encoder, photo, painting):
    """Return a function that gives the frames of a small painting, one for each iteration."""

    def frames(by=encoder, stop=bool, interval=0, **settings):
        chosen = Settings(**{**QUICK, **settings})
        return stylize(photo, painting, chosen, encoder=by, stop=stop, interval=interval)

    return frames


class Faulty:
    """An encoder that does something unwelcome at chosen calls with gradients, and counts them."""

    def __init__(self, inner: Encoder, fault=None) -> None:
        self.inner, self.fault, self.calls = inner, fault or (lambda call, image, taps: taps), 0

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def describe(self, image, content, style, masks=(None,), blocks=0, matrices=None):
        seen = self.inner.describe(image, content, style, masks, blocks, matrices)
        if not image.requires_grad:
            return seen
        self.calls += 1
        return seen._replace(features=self.fault(self.calls, image, seen.features))


def test_frames_tell_the_story(paint):
    frames = list(paint())
    assert [frame.iteration for frame in frames] == [*range(1, 40), 40]
    assert [frame.final for frame in frames] == [False] * 39 + [True]
    assert {(frame.total, frame.target, frame.notice) for frame in frames} == {(40, (64, 43), "")}
    assert frames[-1].image.shape == (43, 64, 3)
    assert frames[-1].image.dtype == np.uint8
    assert frames[-1].remaining == 0
    assert frames[-1].losses["total"] < frames[0].losses["total"]
    assert frames[0].encoder == "tiny"
    assert frames[0].device in ("CPU", "GPU")


@pytest.mark.parametrize(("style_loss", "target"), [("gram", GramTarget), ("gaussian", GaussianTarget)])
def test_losses_are_those_of_the_picture_shown(encoder, paint, photo, painting, style_loss, target):
    # Adam keeps the pixels in range, so that what is seen in 8 bits is what was evaluated.
    *_, frame = paint(iterations=60, optimizer="adam", style_loss=style_loss, smoothness=5)
    image = to_tensor(frame.image)
    content = load_image(photo)
    goal = encoder(resize(content, (64, 43)).clamp(0, 1), ["relu3_3"])["relu3_3"]
    measured = float(relative_error(encoder(image, ["relu3_3"])["relu3_3"], goal))
    assert measured == pytest.approx(frame.losses["content"], rel=0.1)
    style = load_image(painting)
    style = resize(style, fit_area(style.shape[-1], style.shape[-2], 64 * 43)).clamp(0, 1)
    names = encoder.style_layers
    a, b = encoder(image, names), encoder(style, names)
    targets = {name: target(moments(b[name])) for name in names}
    seen = {name: moments_through(a[name], None, targets[name].projection) for name in names}
    measured = sum(float(targets[name].distance(seen[name])) for name in names) / len(names)
    assert measured == pytest.approx(frame.losses["style"], rel=0.1)


def test_same_seed_same_bytes(paint):
    def image(seed, interval):
        *_, frame = paint(iterations=25, initial="noise", seed=seed, interval=interval)
        return frame.image

    # A frame at every iteration must not change the picture.
    assert np.array_equal(image(5, 0), image(5, 0.25))
    assert not np.array_equal(image(5, 0), image(6, 0))


@pytest.mark.parametrize(
    ("knob", "loss"),
    [("content_weight", "content"), ("style_weight", "style"), ("smoothness", "total variation")],
)
def test_weights_do_what_they_say(paint, knob, loss):
    (*_, high), (*_, low) = (paint(iterations=30, **{knob: weight}) for weight in (10, 0))
    assert high.losses[loss] < low.losses[loss]


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


def test_closing_ends_the_work(encoder, paint):
    counting = Faulty(encoder)
    with contextlib.closing(paint(counting)) as frames:
        next(frames)
    assert counting.calls == 1


def test_the_clock_limits_a_run(encoder, paint):
    def slow(call, image, taps):
        time.sleep(0.1)
        return taps

    *_, frame = paint(Faulty(encoder, slow), iterations=1000, time_limit=1)
    assert frame.final
    assert frame.seconds >= 1
    assert frame.iteration <= 12  # in a second, of a tenth each
    assert "time limit of 1 seconds" in frame.notice


def broken(calls):
    """Return a fault by which the losses of these calls are not finite."""

    def fault(call, image, taps):
        return {name: tap * (torch.nan if call in calls else 1.0) for name, tap in taps.items()}

    return fault


def test_a_loss_that_is_not_finite_rolls_back_and_goes_on(encoder, paint):
    frames = list(paint(Faulty(encoder, broken([12]))))
    assert frames[-1].iteration == 40
    assert frames[-1].losses["total"] < frames[0].losses["total"]
    assert "last good picture" in frames[-1].notice
    assert 12 not in [frame.iteration for frame in frames]


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_losses_that_stay_broken_end_with_the_last_good_picture(encoder, paint, optimizer):
    always = Faulty(encoder, broken(range(15, 101)))
    *_, frame = paint(always, iterations=100, optimizer=optimizer)
    assert frame.final
    assert frame.iteration < 100
    assert np.isfinite(frame.losses["total"])
    assert frame.image.std() > 5


def too_large_above(limit: int):
    def fault(call, image, taps):
        if max(image.shape[-2:]) > limit:
            raise OUT_OF_MEMORY
        return taps

    return fault


# In three quarters again and again, and where the size below is as large as that, with it.
@pytest.mark.parametrize(("limit", "width"), [(80, 72), (70, 64)])
def test_running_out_of_memory_finishes_smaller_and_says_so(encoder, paint, limit, width):
    *_, frame = paint(Faulty(encoder, too_large_above(limit)), size=128, iterations=10)
    assert frame.final
    assert frame.width == width
    assert frame.target == (width, frame.height)
    assert f"not enough memory for 128 px, so this is painted at {width} px" in frame.notice


def test_running_out_of_memory_is_first_met_with_strips(encoder, paint):
    """At full size, if that is possible one strip after the other."""

    class Tight(Faulty):
        def describe(self, image, content, style, masks=(None,), blocks=0, matrices=None):
            if image.requires_grad and max(image.shape[-2:]) > 64 and blocks < 2:
                raise OUT_OF_MEMORY
            return self.inner.describe(image, content, style, masks, blocks, matrices)

    (*_, frame), (*_, whole) = (paint(by, size=128, iterations=15) for by in (Tight(encoder), encoder))
    assert (frame.width, frame.notice) == (128, "")
    assert np.abs(frame.image.astype(int) - whole.image.astype(int)).mean() < 8


def test_no_memory_at_all_is_a_sentence_and_other_errors_are_not_swallowed(encoder, paint):
    with pytest.raises(InputError, match="not enough memory"):
        list(paint(Faulty(encoder, too_large_above(1))))

    def fault(call, image, taps):
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        list(paint(Faulty(encoder, fault)))


def test_everything_is_checked_before_the_first_frame(encoder, photo, painting, tmp_path):
    missing = tmp_path / "no.png"
    for given, message in (
        ((missing, painting), "The photo was not found"),
        ((photo, missing), "The style picture was not found"),
        ((photo, []), "no style"),
    ):
        with pytest.raises(InputError, match=message):
            stylize(*given, encoder=encoder)


def test_a_plain_sheet_of_colour_is_a_picture_too(encoder):
    black, white = torch.zeros(1, 3, 64, 64), torch.ones(1, 3, 64, 64)
    for content, style in ((black, white), (white, black), (black, black)):
        frame = finished(content, style, Settings(size=64, iterations=10), encoder=encoder)
        assert all(np.isfinite(value) for value in frame.losses.values())


def test_what_remains_is_estimated(paint):
    list(paint())
    first, *_, last = paint()
    assert 0.3 * last.seconds < first.seconds + first.remaining < 3 * last.seconds


@pytest.mark.parametrize(("depth", "optimizer"), [(1, "lbfgs"), (3, "adam"), (13, "gradient-descent")])
def test_encoders_of_any_depth_and_every_optimizer_make_progress(paint, depth, optimizer):
    encoder = Encoder(tiny_convolutions(depth), name="tiny")
    first, *_, last = paint(encoder, coarse_to_fine=False, optimizer=optimizer)
    assert 0 < last.losses["total"] < 0.7 * first.losses["total"]


def test_a_second_encoder_finishes(encoder, paint, photo, painting):
    other = Encoder(tiny_convolutions(8, seed=1), name="other")
    counting, finishing = Faulty(encoder), Faulty(other)
    *_, final = paint((counting, finishing), smoothness=5)
    *_, alone = paint(smoothness=5)
    assert final.encoder == f"{encoder.name}, then other"
    assert 0 < finishing.calls < counting.calls
    assert final.iteration == final.total == counting.calls + finishing.calls
    scene = resize(load_image(photo), (final.width, final.height))
    look = load_image(painting)
    look = resize(look, fit_area(look.shape[-1], look.shape[-2], final.width * final.height))
    judge = Objective(other, scene, [look], final.settings)
    assert float(judge(to_tensor(final.image)).loss) < float(judge(to_tensor(alone.image)).loss)


def test_no_memory_for_the_second_encoder_keeps_the_first_ones_picture(encoder, paint):
    *_, frame = paint((encoder, Faulty(encoder, too_large_above(1))))
    assert frame.final
    assert frame.width == 64
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
