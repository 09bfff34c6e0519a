"""The sizes of a painting, how long they take, and when the next frame is due."""

from itertools import product

import pytest

from nst import InputError, Settings
from nst.optimization.estimate import Estimate, forecast
from nst.optimization.pace import LONGEST, THRIFT, Pace
from nst.optimization.pyramid import Scale, plan


def test_sizes_double_and_get_alike_many_iterations_up_to_600_and_then_fewer():
    scales = plan(512, 384, Settings(size=512, iterations=400))
    assert [scale.size for scale in scales] == [(64, 48), (128, 96), (256, 192), (512, 384)]
    assert [scale.iterations for scale in scales] == [100] * 4
    (single,) = plan(512, 384, Settings(coarse_to_fine=False, iterations=50))
    assert (single.size, single.iterations) == ((512, 384), 50)
    counts = [scale.iterations for scale in plan(2048, 1024, Settings(size=2048, iterations=400))]
    *_, alike, fewer, fewest = counts
    assert max(counts[:-2]) - min(counts[:-2]) <= 5  # what does not divide goes to the first
    assert fewer == pytest.approx(alike * 600 / 1024, abs=1)
    assert fewest == pytest.approx(fewer / 2, abs=1)
    for iterations, size in product((10, 37, 1000), (64, 100, 2048)):
        scales = plan(640, 480, Settings(iterations=iterations, size=size))
        assert sum(scale.iterations for scale in scales) == iterations
        assert max(scales[-1].size) == size
        assert all(scale.iterations >= 1 for scale in scales)


def test_narrow_photos_skip_sizes_at_which_nothing_would_be_left():
    scales = plan(1600, 200, Settings(size=512))
    assert min(scales[0].width, scales[0].height) >= 32
    assert scales[-1].height == 64
    with pytest.raises(InputError, match="short side"):
        plan(4000, 20, Settings(size=512))


@pytest.mark.parametrize(
    ("interval", "costs", "wait"),
    [
        (0.25, [0.001], 0.25),
        (0.25, [0.5], 0.25),  # of the first, which costs more, nothing follows
        (0.25, [0.5, 0.01], THRIFT * 0.01),
        (0.25, [0.0, 27.0], LONGEST),  # who was held up once is not left without frames
        (0.0, [5.0, 5.0], 0.0),
    ],
)
def test_a_frame_is_due_by_time_and_later_the_longer_the_last_was_looked_at(interval, costs, wait):
    now = 100.0
    pace = Pace(interval, lambda: now)
    assert pace.due()
    for cost in costs:
        pace.hand_out()
        now += cost
        pace.taken_back()
    assert pace.due_at - now == pytest.approx(wait)
    assert pace.due() == (wait == 0)
    now = pace.due_at
    assert pace.due()


@pytest.fixture
def found(monkeypatch):
    """An estimate of two encoders before anything was seen."""
    monkeypatch.setattr(Estimate, "_seen", {})
    return Estimate(["a", "b"], "CPU")


def scale(side: int, *, iterations: int = 10, encoder: int = 0) -> Scale:
    return Scale(side, side, iterations, encoder)


def test_costs_follow_from_what_was_seen_of_this_size_or_the_nearest_but_none_far_from_it(found):
    assert found.cost(scale(100)) == 0
    assert not found.knows(scale(100))
    assert forecast(640, 480, Settings(), "CPU").seconds == 0
    found.saw(scale(200), 10.0)
    assert found.knows(scale(890))
    assert not found.knows(scale(900))
    found.saw(scale(200), 2.0)
    assert found.cost(scale(200)) == 2.0  # the first one also sets things up: it is forgotten
    # Four times the pixels, less what each iteration takes anyway.
    assert found.cost(scale(400)) == pytest.approx(7.0)
    assert found.remaining(5, scale(200), [scale(200, iterations=3)]) == 16.0
    # Another painting of the same encoder knows it too, one of another device does not.
    assert Estimate(["a"], "CPU").cost(scale(200)) == 2.0
    assert Estimate(["a"], "GPU").cost(scale(200)) == 0
    found.saw(scale(200), 3.0)
    assert found.cost(scale(200)) == pytest.approx(2.2)
    # Another encoder is taken for dearer until it was seen.
    assert found.cost(scale(200, encoder=1)) == pytest.approx(8.8)
    found.saw(scale(200, encoder=1), 3.0)
    assert found.cost(scale(200, encoder=1)) == 3.0
