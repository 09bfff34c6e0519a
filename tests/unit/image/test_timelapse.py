"""A painting's frames as a film."""

from __future__ import annotations

import io
import itertools

import av
import numpy as np
import pytest
from PIL import Image

from nst.image.timelapse import as_mp4, as_webp, thinned


def frames(count: int, width: int = 75, height: int = 51) -> list[np.ndarray]:
    """Return frames that grow from small to full size and from black to white."""
    sizes = [(height // 2, width // 2)] * (count // 2) + [(height, width)] * (count - count // 2)
    return [np.full((*size, 3), 255 * n // max(count - 1, 1), np.uint8) for n, size in enumerate(sizes)]


def test_the_mp4_plays_everywhere_and_shows_every_frame():
    film = av.open(io.BytesIO(as_mp4(frames(48))))
    (stream,) = film.streams.video
    assert stream.codec_context.name == "h264"
    assert stream.codec_context.pix_fmt == "yuv420p"
    assert (stream.width, stream.height) == (74, 50)  # even, as the format wants
    light = [float(frame.to_ndarray(format="rgb24").mean()) for frame in film.decode(video=0)]
    assert len(light) == 48 + 2 * 8  # eight a second, and the last held for two
    assert light[0] < 10
    assert light[-1] > 245
    assert all(after > before - 2 for before, after in itertools.pairwise(light))


def test_the_webp_holds_the_last_frame():
    film = Image.open(io.BytesIO(as_webp(frames(24))))
    assert (film.size, film.n_frames) == ((75, 51), 24)
    film.seek(23)
    film.load()
    assert film.info["duration"] == 2000
    assert np.asarray(film.convert("RGB")).mean() > 245


def test_films_are_no_larger_than_a_page_needs_and_of_one_frame_at_least():
    large = frames(3, 2000, 1000)
    stream = av.open(io.BytesIO(as_mp4(large))).streams.video[0]
    assert (stream.width, stream.height) == (1024, 512)
    assert Image.open(io.BytesIO(as_webp(large))).size == (512, 256)
    assert av.open(io.BytesIO(as_mp4(frames(1)))).streams.video[0].width == 74
    with pytest.raises(ValueError, match="no frames"):
        as_mp4([])


def test_thinned_keeps_both_ends():
    assert thinned(range(100), 5) == [0, 25, 50, 74, 99]
    assert thinned(range(3), 5) == [0, 1, 2]


def test_colours_are_the_same_in_every_player():
    """The file says how they are meant: players go by the height of one that says nothing."""
    with av.open(io.BytesIO(as_mp4([np.full((768, 1024, 3), (40, 200, 40), np.uint8)]))) as film:
        frame = next(film.decode(video=0))
        coder = film.streams.video[0].codec_context
        assert (frame.colorspace, coder.color_primaries, coder.color_trc) == (1, 1, 1)  # BT.709
        assert np.abs(frame.to_ndarray(format="rgb24")[100, 100].astype(int) - (40, 200, 40)).max() <= 2
