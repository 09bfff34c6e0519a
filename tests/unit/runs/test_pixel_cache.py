"""Decoded pixels are kept for as long as their file is, and no more of them than is allowed."""

from __future__ import annotations

import io

import numpy as np
import pytest

from nst.runs.pixel_cache import PixelCache
from nst.runs.storage import Files, Upload

HOW = (1.0, 16, False)
PIXELS = np.zeros((10, 10, 3), np.uint8)


@pytest.fixture
def files():
    files = Files()
    yield files
    files.close()


def added(files: Files) -> Upload:
    return files.sent(str(files.add_upload("", "a.jpg", io.BytesIO(b"x"))), "The photo")


def test_pixels_are_kept_by_file_and_by_how_they_were_decoded(files):
    kept, one, other = PixelCache(10_000), added(files), added(files)
    kept.put(one, HOW, PIXELS)
    assert kept.get(one, HOW) is PIXELS
    assert kept.get(one, (1.0, 16, True)) is None
    assert kept.get(other, HOW) is None


def test_what_was_not_asked_for_longest_goes_first(files):
    kept, (one, two, three) = PixelCache(2 * PIXELS.nbytes), (added(files) for _ in range(3))
    kept.put(one, HOW, PIXELS)
    kept.put(two, HOW, PIXELS)
    kept.get(one, HOW)
    kept.put(three, HOW, PIXELS)
    assert [kept.get(each, HOW) is None for each in (one, two, three)] == [False, True, False]
    assert kept.nbytes == 2 * PIXELS.nbytes


def test_one_picture_does_not_drive_all_others_out(files):
    kept, small, large = PixelCache(2 * PIXELS.nbytes), added(files), added(files)
    kept.put(small, HOW, PIXELS)
    kept.put(large, HOW, np.zeros((10, 20, 3), np.uint8))
    assert kept.get(small, HOW) is PIXELS
    assert kept.get(large, HOW) is None


def test_what_goes_from_the_disk_goes_from_the_memory():
    kept = PixelCache(10_000)
    files = Files(gone=kept.forget)
    file, other = added(files), added(files)
    kept.put(file, HOW, PIXELS)
    kept.put(other, HOW, PIXELS)
    files.remove(file.path.parent)
    assert kept.nbytes == PIXELS.nbytes
    assert kept.get(file, HOW) is None
    kept.put(file, HOW, PIXELS)  # by somebody who was decoding it meanwhile
    assert kept.nbytes == PIXELS.nbytes
    files.close()
    assert kept.nbytes == 0


def test_a_file_that_another_hand_removed_has_no_pixels(files):
    kept, file = PixelCache(10_000), added(files)
    kept.put(file, HOW, PIXELS)
    file.path.unlink()
    assert kept.get(file, HOW) is None
