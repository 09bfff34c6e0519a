"""A painting's frames as a film."""

import io
import itertools

import av
import numpy as np
from PIL import Image

from nst.image.timelapse import as_mp4, as_webp, thinned

GREEN = np.array((40, 200, 40))


def frames(count: int, width: int = 75, height: int = 51) -> list[np.ndarray]:
    """Return frames that grow from small to full size and from black to green."""
    sizes = [(height // 2, width // 2)] * (count // 2) + [(height, width)] * (count - count // 2)
    return [np.full((*size, 3), GREEN * n // max(count - 1, 1), np.uint8) for n, size in enumerate(sizes)]


def test_the_mp4_plays_everywhere_and_shows_every_frame():
    with av.open(io.BytesIO(as_mp4(frames(48)))) as film:
        (stream,) = film.streams.video
        coder = stream.codec_context
        assert (coder.name, coder.pix_fmt) == ("h264", "yuv420p")
        assert (stream.width, stream.height) == (74, 50)  # even, as the format wants
        shown = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
        # Players guess the colours of a film that says nothing by its height; it says BT.709.
        assert (coder.colorspace, coder.color_primaries, coder.color_trc) == (1, 1, 1)
    assert len(shown) == 48 + 2 * 8  # eight a second, and the last held for two
    light = [float(pixels.mean()) for pixels in shown]
    assert light[0] < 10
    assert all(after > before - 2 for before, after in itertools.pairwise(light))
    assert np.abs(shown[-1].astype(int) - GREEN).max() <= 2


def test_films_are_no_larger_than_a_page_needs_and_of_one_frame_at_least():
    large = frames(3, 2000, 1000)
    stream = av.open(io.BytesIO(as_mp4(large))).streams.video[0]
    assert (stream.width, stream.height) == (1024, 512)
    film = Image.open(io.BytesIO(as_webp(large)))
    assert (film.size, film.n_frames) == ((512, 256), 3)
    film.seek(2)
    film.load()
    assert film.info["duration"] == 2000  # the last one is held
    assert np.abs(np.asarray(film.convert("RGB")).mean((0, 1)) - GREEN).max() < 10
    assert av.open(io.BytesIO(as_mp4(frames(1)))).streams.video[0].width == 74
    assert thinned(range(100), 5) == [0, 25, 50, 74, 99]
    assert thinned(range(3), 5) == [0, 1, 2]
