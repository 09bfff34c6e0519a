"""The generator's contract."""

from __future__ import annotations

import time

import conftest
import numpy as np
import pytest
import torch
from conftest import tiny_convolutions
from PIL import Image

from nst import InputError, Settings, load_image, stylize
from nst.image.tensors import fit_area, resize
from nst.lab.quality import octaves
from nst.optimization.loss_terms import GaussianTarget, GramTarget, relative_error
from nst.optimization.objective import Objective
from nst.vgg.encoder import Encoder
from nst.vgg.moments import moments, moments_through

QUICK = Settings(size=64, iterations=40, smoothness=0)


def last(frames):
    *_, frame = frames
    return frame


class Faulty:
    """An encoder that does something unwelcome at chosen calls with gradients."""

    def __init__(self, inner: Encoder, fault) -> None:
        self.inner, self.fault, self.calls = inner, fault, 0

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def describe(self, image, content, style, masks=(None,), strips=1, matrices=None):
        seen = self.inner.describe(image, content, style, masks, strips, matrices)
        if not image.requires_grad:
            return seen
        self.calls += 1
        return seen._replace(features=self.fault(self.calls, image, seen.features))


def test_frames_tell_the_story(encoder, photo, painting):
    frames = list(stylize(photo, painting, QUICK, encoder=encoder, interval=0))
    assert [frame.iteration for frame in frames] == [*range(1, 40), 40]
    assert all(frame.total == 40 for frame in frames)
    assert all(frame.target == (64, 43) for frame in frames)
    assert [frame.final for frame in frames] == [False] * 39 + [True]
    assert frames[-1].image.shape == (43, 64, 3)
    assert frames[-1].image.dtype == np.uint8
    assert frames[-1].remaining == 0
    assert frames[-1].losses["total"] < frames[0].losses["total"]
    seconds = [frame.seconds for frame in frames]
    assert seconds == sorted(seconds)
    assert frames[0].encoder == "tiny"
    assert frames[0].device in ("CPU", "GPU")
    assert {frame.notice for frame in frames} == {""}


@pytest.mark.parametrize(("style_loss", "target"), [("gram", GramTarget), ("gaussian", GaussianTarget)])
def test_losses_are_those_of_the_picture_shown(encoder, photo, painting, style_loss, target):
    # Adam keeps the pixels in range, so that what is seen in 8 bits is what was evaluated.
    settings = Settings(size=64, iterations=60, optimizer="adam", style_loss=style_loss)
    frame = last(stylize(photo, painting, settings, encoder=encoder))
    image = torch.from_numpy(frame.image).permute(2, 0, 1)[None].float() / 255
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


def test_same_seed_same_bytes(encoder, photo, painting):
    settings = Settings(size=64, iterations=25, initial="noise", seed=5)
    one = last(stylize(photo, painting, settings, encoder=encoder)).image
    # A frame at every iteration must not change the picture.
    two = last(stylize(photo, painting, settings, encoder=encoder, interval=0)).image
    other = last(
        stylize(photo, painting, Settings(size=64, iterations=25, initial="noise", seed=6), encoder=encoder)
    )
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other.image)


def test_weights_do_what_they_say(encoder, photo, painting):
    def losses(**more):
        return last(
            stylize(photo, painting, Settings(size=64, iterations=30, **more), encoder=encoder)
        ).losses

    assert losses(content_weight=10)["content"] < losses(content_weight=0)["content"]
    assert losses(style_weight=10)["style"] < losses(style_weight=0)["style"]
    assert losses(smoothness=10)["total variation"] < losses(smoothness=0)["total variation"]


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "gradient-descent"])
@pytest.mark.parametrize("coarse", [True, False])
def test_every_optimizer_makes_progress(encoder, photo, painting, optimizer, coarse):
    settings = Settings(size=64, iterations=40, optimizer=optimizer, coarse_to_fine=coarse)
    frames = list(stylize(photo, painting, settings, encoder=encoder, interval=0))
    assert frames[-1].losses["total"] < 0.7 * frames[0].losses["total"]


def test_initial_images(encoder, photo, painting):
    first = {}
    for initial in ("content", "style", "noise"):
        settings = Settings(size=64, iterations=10, initial=initial, coarse_to_fine=False)
        first[initial] = next(stylize(photo, painting, settings, encoder=encoder, interval=0))
    assert first["content"].losses["content"] == 0
    assert first["style"].losses["style"] < first["noise"].losses["style"]
    assert {frame.image.shape for frame in first.values()} == {(43, 64, 3)}


def test_several_styles_are_averaged(encoder, photo, painting, tmp_path):
    from conftest import picture

    picture(90, 90, seed=9).save(tmp_path / "other.png")
    settings = Settings(size=64, iterations=20)
    alone = last(stylize(photo, painting, settings, encoder=encoder)).image
    twice = last(stylize(photo, [painting, painting], settings, encoder=encoder)).image
    both = last(stylize(photo, [painting, tmp_path / "other.png"], settings, encoder=encoder)).image
    assert np.abs(alone.astype(int) - twice).max() <= 2
    assert np.abs(alone.astype(int) - both).mean() > 2


def test_frames_are_paced_by_time(encoder, photo, painting):
    settings = Settings(size=64, iterations=100)
    began = time.monotonic()
    frames = list(stylize(photo, painting, settings, encoder=encoder, interval=0.1))
    took = time.monotonic() - began
    assert len(frames) <= took / 0.1 + 2
    assert frames[0].iteration == 1


def test_a_slow_consumer_gets_fewer_frames(encoder, photo, painting):
    settings = Settings(size=64, iterations=60)
    eager = len(list(stylize(photo, painting, settings, encoder=encoder, interval=0)))
    slow = 0
    for _ in stylize(photo, painting, settings, encoder=encoder, interval=0.001):
        slow += 1
        time.sleep(0.1)
    assert eager == 60
    assert slow <= 20


def test_stop_keeps_the_picture_at_the_next_iteration(encoder, photo, painting):
    wish = []
    frames = []
    for frame in stylize(photo, painting, QUICK, encoder=encoder, stop=lambda: bool(wish), interval=0):
        frames.append(frame)
        if frame.iteration == 7:
            wish.append(1)
    assert frames[-1].final
    assert frames[-1].iteration == 8
    assert frames[-1].total == frames[0].total > 8  # of which it was that far
    assert frames[-1].image.any()
    early = last(stylize(photo, painting, Settings(size=256), encoder=encoder, stop=lambda: True))
    assert early.image.shape == (171, 256, 3)  # a keepable size, though only the coarsest was begun
    stopped_at_once = list(stylize(photo, painting, QUICK, encoder=encoder, stop=lambda: True))
    assert len(stopped_at_once) == 1
    assert stopped_at_once[0].final


def test_closing_ends_the_work(encoder, photo, painting):
    counting = Faulty(encoder, lambda call, image, taps: taps)
    frames = stylize(photo, painting, QUICK, encoder=counting, interval=0)
    next(frames)
    frames.close()
    assert counting.calls == 1


def test_the_clock_limits_a_run(encoder, photo, painting):
    def slow(call, image, taps):
        time.sleep(0.1)
        return taps

    settings = Settings(size=64, iterations=1000, time_limit=1)
    frame = last(stylize(photo, painting, settings, encoder=Faulty(encoder, slow)))
    assert frame.final
    assert frame.seconds < 2.5
    assert "time limit of 1 seconds" in frame.notice


def test_a_loss_that_is_not_finite_rolls_back_and_goes_on(encoder, photo, painting):
    def fault(call, image, taps):
        factor = torch.nan if call == 12 else 1.0
        return {name: tap * factor for name, tap in taps.items()}

    frames = list(stylize(photo, painting, QUICK, encoder=Faulty(encoder, fault), interval=0))
    assert frames[-1].iteration == 40
    assert np.isfinite(frames[-1].losses["total"])
    assert frames[-1].losses["total"] < frames[0].losses["total"]
    assert "last good picture" in frames[-1].notice
    assert 12 not in [frame.iteration for frame in frames]


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_losses_that_stay_broken_end_with_the_last_good_picture(encoder, photo, painting, optimizer):
    def fault(call, image, taps):
        factor = torch.nan if call >= 15 else 1.0
        return {name: tap * factor for name, tap in taps.items()}

    settings = Settings(size=96, iterations=100, optimizer=optimizer)
    frame = last(stylize(photo, painting, settings, encoder=Faulty(encoder, fault)))
    assert frame.final
    assert frame.iteration < 100
    assert np.isfinite(frame.losses["total"])
    assert frame.image.std() > 5


def too_large_above(limit: int):
    def fault(call, image, taps):
        if max(image.shape[-2:]) > limit:
            raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 99 bytes.")
        return taps

    return fault


@pytest.mark.parametrize(("limit", "width"), [(200, 192), (150, 144), (128, 128), (70, 64)])
def test_running_out_of_memory_finishes_smaller_and_says_so(encoder, photo, painting, limit, width):
    settings = Settings(size=256, iterations=10)
    frame = last(stylize(photo, painting, settings, encoder=Faulty(encoder, too_large_above(limit))))
    assert frame.final
    assert frame.width == width
    assert frame.target == (width, frame.height)
    assert f"not enough memory for 256 px, so this is painted at {width} px" in frame.notice


def test_running_out_of_memory_is_first_met_with_strips(encoder, photo, painting):
    """At full size, if that is possible one strip after the other."""

    class Tight(Faulty):
        def describe(self, image, content, style, masks=(None,), strips=1, matrices=None):
            if image.requires_grad and max(image.shape[-2:]) > 128 and strips < 4:
                raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 99 bytes.")
            return self.inner.describe(image, content, style, masks, strips, matrices)

    settings = Settings(size=256, iterations=15)
    frame = last(stylize(photo, painting, settings, encoder=Tight(encoder, None)))
    assert (frame.width, frame.notice) == (256, "")
    whole = last(stylize(photo, painting, settings, encoder=encoder))
    assert np.abs(frame.image.astype(int) - whole.image.astype(int)).mean() < 8


def test_no_memory_at_all_is_a_sentence(encoder, photo, painting):
    with pytest.raises(InputError, match="not enough memory"):
        list(stylize(photo, painting, QUICK, encoder=Faulty(encoder, too_large_above(1))))


def test_other_errors_are_not_swallowed(encoder, photo, painting):
    def fault(call, image, taps):
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        list(stylize(photo, painting, QUICK, encoder=Faulty(encoder, fault)))


def test_everything_is_checked_before_the_first_frame(encoder, photo, painting, tmp_path):
    with pytest.raises(InputError, match="The photo was not found"):
        stylize(tmp_path / "no.png", painting, QUICK, encoder=encoder)
    with pytest.raises(InputError, match="The style picture was not found"):
        stylize(photo, tmp_path / "no.png", QUICK, encoder=encoder)
    with pytest.raises(InputError, match="no style"):
        stylize(photo, [], QUICK, encoder=encoder)


def test_a_plain_sheet_of_colour_is_a_picture_too(encoder):
    black, white = torch.zeros(1, 3, 64, 64), torch.ones(1, 3, 64, 64)
    for content, style in ((black, white), (white, black), (black, black)):
        frame = last(stylize(content, style, Settings(size=64, iterations=20), encoder=encoder))
        assert all(np.isfinite(value) for value in frame.losses.values())


def test_extreme_shapes(encoder):
    wide, tall = torch.rand(1, 3, 40, 400), torch.rand(1, 3, 600, 30)
    frame = last(stylize(wide, tall, Settings(size=256, iterations=15), encoder=encoder))
    assert (frame.width, frame.height) == (256, 26)


def test_what_remains_is_estimated(encoder, photo, painting):
    settings = Settings(size=128, iterations=60)
    list(stylize(photo, painting, settings, encoder=encoder))
    frames = list(stylize(photo, painting, settings, encoder=encoder, interval=0.05))
    took = frames[-1].seconds
    assert 0.3 * took < frames[0].seconds + frames[0].remaining < 3 * took


@pytest.mark.parametrize("depth", [1, 3, 8, 13])
def test_encoders_of_any_depth(photo, painting, depth):
    encoder = Encoder(tiny_convolutions(depth), name="tiny")
    frame = last(stylize(photo, painting, Settings(size=64, iterations=15), encoder=encoder))
    assert frame.losses["total"] > 0


def test_a_second_encoder_finishes(encoder, photo, painting):
    other = Encoder(tiny_convolutions(8, seed=1), name="other")
    settings = Settings(size=128, iterations=60)
    counting = Faulty(encoder, lambda call, image, taps: taps)
    finishing = Faulty(other, lambda call, image, taps: taps)
    frames = list(stylize(photo, painting, settings, encoder=(counting, finishing), interval=0))
    alone = list(stylize(photo, painting, settings, encoder=encoder, interval=0))
    final = frames[-1]
    assert final.encoder == f"{encoder.name}, then other"
    assert 0 < finishing.calls < counting.calls
    assert final.iteration == final.total == counting.calls + finishing.calls
    scene = resize(load_image(photo), (final.width, final.height))
    look = load_image(painting)
    look = resize(look, fit_area(look.shape[-1], look.shape[-2], final.width * final.height))
    judge = Objective(other, scene, [look], settings)
    finished, begun = (
        float(judge(torch.from_numpy(frame.image).permute(2, 0, 1)[None] / 255).loss)
        for frame in (final, alone[-1])
    )
    assert finished < begun


def test_no_memory_for_the_second_encoder_keeps_the_first_ones_picture(encoder, photo, painting):
    def fail(call, image, taps):
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 99 bytes.")

    settings = Settings(size=128, iterations=40)
    frame = last(stylize(photo, painting, settings, encoder=(encoder, Faulty(encoder, fail))))
    assert frame.final
    assert frame.width == 128
    assert "not enough memory to finish with" in frame.notice


def test_a_larger_canvas_begins_with_the_photos_detail(encoder):
    generator = torch.Generator().manual_seed(3)
    photo, style = (
        torch.rand(1, 3, 96, 128, generator=generator),
        torch.rand(1, 3, 64, 64, generator=generator),
    )
    frames = list(stylize(photo, style, Settings(size=128, iterations=10), encoder=encoder, interval=0))
    first = next(frame for frame in frames if frame.width == 128)
    seen = torch.from_numpy(first.image).permute(2, 0, 1)[None] / 255
    assert octaves(seen)["luminance 1"] > 0.5 * octaves(photo)["luminance 1"]


def test_a_panorama_with_the_thin_masks_and_frames_that_are_made_for_it(encoder):
    picture = conftest.picture
    photo = picture(1600, 32, seed=1)
    settings = Settings(size=800, iterations=10, style_layers="relu1_1 relu2_1", content_layer="relu2_1")
    given = {"keep": Image.new("L", (768, 15)), "resume": picture(512, 10, seed=3), "encoder": encoder}
    *_, last = stylize(photo, picture(96, 64), settings, **given)
    assert last.image.shape[:2] == (16, 800)
