from __future__ import annotations

import pytest

from nst import InputError, Settings
from nst.optimization.pyramid import plan


@pytest.mark.parametrize("iterations", [10, 37, 1000])
@pytest.mark.parametrize("size", [64, 100, 2048])
def test_iterations_add_up_and_the_last_size_is_the_one_asked_for(iterations, size):
    scales = plan(640, 480, Settings(iterations=iterations, size=size))
    assert sum(scale.iterations for scale in scales) == iterations
    assert max(scales[-1].width, scales[-1].height) == size
    assert all(scale.iterations >= 1 for scale in scales)


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


def test_narrow_photos_skip_sizes_at_which_nothing_would_be_left():
    scales = plan(1600, 200, Settings(size=512))
    assert min(scales[0].width, scales[0].height) >= 32
    assert scales[-1].height == 64
    with pytest.raises(InputError, match="short side"):
        plan(4000, 20, Settings(size=512))


def test_a_finishing_encoder_takes_the_end_of_the_last_size():
    *before, begun, finishing = plan(512, 384, Settings(), "refined")
    assert before == plan(512, 384, Settings())[:-1]
    assert begun.size == finishing.size == (512, 384)
    assert [scale.encoder for scale in (*before, begun, finishing)] == [0] * 4 + [1]
    assert 0 < finishing.iterations < begun.iterations < plan(512, 384, Settings())[-1].iterations
    for iterations in (10, 12, 20):
        assert plan(512, 384, Settings(iterations=iterations), "refined")[-1].encoder == 1
