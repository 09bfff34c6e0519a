"""What is shown of a painting in progress."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from nst import Settings
from nst.optimization.frames import Frame
from nst.painters.previews import PREVIEW, Preview, at_size, previews, resized


def photo(width: int, height: int) -> np.ndarray:
    """Return a photo with something to see at every size."""
    y, x = np.mgrid[:height, :width] / max(width, height)
    waves = np.sin(2 * np.pi * (3 + 30 * x) * y + 20 * x)
    return np.repeat((127.5 + 80 * waves)[..., None], 3, -1).astype(np.uint8)


def shown(images: list[np.ndarray], of: np.ndarray, **settings: Any) -> list[Preview]:
    """Return what is shown of canvases, the last one final."""
    numbers: Any = ({"total": 1.0}, 1.0, 1.0, 1.0, 0.0, "tiny", "CPU", Settings())
    frames = (Frame(image, 1, 2, image.shape[1::-1], *numbers, image is images[-1]) for image in images)
    return list(previews(frames, of, Settings(**settings)))


def opened(preview: Preview) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(preview.jpeg)), np.float32)


def test_a_small_canvas_is_shown_with_the_photos_detail_and_a_large_one_as_a_small_picture():
    given = photo(800, 600)
    sharp = at_size(given, (512, 384)).astype(np.float32)
    canvases = [resized(given, size) for size in ((64, 48), (128, 96), (128, 96), (2048, 1536), (512, 384))]
    *small, large, final = shown(canvases, given)
    for preview, canvas in zip(small, canvases, strict=False):
        assert preview.size == canvas.shape[1::-1]
        blurred = np.abs(resized(canvas, (512, 384)) - sharp).mean()
        assert np.abs(opened(preview) - sharp).mean() < blurred / 2
    assert (large.size, max(opened(large).shape)) == ((2048, 1536), PREVIEW)
    assert final.frame.image is canvases[-1]
    assert not final.jpeg


def test_what_does_not_begin_with_the_photo_has_nothing_of_it_lies_on_white_and_its_changes_add_up():
    clear, black = (np.full((48, 64, 4), (0, 0, 0, alpha), np.uint8) for alpha in (0, 255))
    found = shown([clear, black, black.copy(), clear.copy()], photo(512, 384), initial="noise")
    for preview, seen in zip(found, (255, 0, 0), strict=False):
        assert np.abs(opened(preview) - seen).max() < 3
    assert [each.change for each in found] == pytest.approx([0, 1, 1, 2])
