"""What is shown of a painting in progress."""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nst import Settings
from nst.optimization.frames import Frame
from nst.painters.previews import PREVIEW, Preview, at_size, previews


def photo(width: int, height: int) -> np.ndarray:
    """Return a photo with something to see at every size."""
    y, x = np.mgrid[:height, :width] / max(width, height)
    waves = np.sin(2 * np.pi * (3 + 30 * x) * y + 20 * x)
    return np.repeat((127.5 + 80 * waves)[..., None], 3, -1).astype(np.uint8)


def resized(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC))


def frame(image: np.ndarray, final: bool = False) -> Frame:
    numbers: Any = ({"total": 1.0}, 1.0, 1.0, 1.0, 0.0, "tiny", "CPU")
    return Frame(image, 1, 2, (image.shape[1], image.shape[0]), *numbers, Settings(), final)


def shown(images: list[np.ndarray], of: np.ndarray, **settings: Any) -> list[Preview]:
    """Return what is shown of canvases, the last one final."""
    frames = (frame(image, image is images[-1]) for image in images)
    return list(previews(frames, of, Settings(**settings)))


def opened(preview: Preview) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(preview.jpeg)), np.float32)


def test_a_small_canvas_is_shown_with_the_photos_detail():
    given = photo(800, 600)
    sharp = at_size(given, (512, 384)).astype(np.float32)
    canvases = [resized(given, size) for size in ((64, 48), (128, 96), (128, 96), (512, 384))]
    *passing, final = shown(canvases, given)
    for preview, canvas in zip(passing, canvases, strict=False):
        assert preview.size == canvas.shape[1::-1]
        blurred = np.abs(resized(canvas, (512, 384)) - sharp).mean()
        assert np.abs(opened(preview) - sharp).mean() < blurred / 2
    assert final.frame.image is canvases[-1]
    assert not final.jpeg


@pytest.mark.parametrize(("color", "alpha", "seen"), [(120, 255, 120), (0, 0, 255)], ids=["opaque", "clear"])
def test_what_does_not_begin_with_the_photo_has_nothing_of_it_and_lies_on_white(color, alpha, seen):
    canvas = np.full((48, 64, 4), (color, color, color, alpha), np.uint8)
    preview, _ = shown([canvas, canvas.copy()], photo(512, 384), initial="noise")
    assert np.abs(opened(preview) - seen).max() < 3


@pytest.mark.parametrize("size", [(2048, 1536), (1000, 3000)])
def test_a_large_canvas_crosses_over_as_a_small_picture(size):
    canvas = resized(photo(400, 400), size)
    preview, final = shown([canvas, canvas.copy()], photo(400, 400))
    assert max(opened(preview).shape) == PREVIEW
    assert preview.size == final.size == size
    # More than that goes by way of a cluster's shared memory, and between nodes once more.
    assert len(pickle.dumps(preview)) < 100_000


def test_how_far_it_has_changed_adds_up():
    black, white = (np.full((48, 64, 3), level, np.uint8) for level in (0, 255))
    previews = shown([black, white, white.copy(), black.copy()], black, initial="noise")
    assert [each.change for each in previews] == pytest.approx([0, 1, 1, 2])
