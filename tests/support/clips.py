"""Films and pictures that move, made here: a red square that goes over green."""

from fractions import Fraction

import av
import numpy as np
from PIL import Image

GREEN, RED = (40, 200, 40), (200, 30, 30)


def shots(count, width=96):
    """Yield a red square that moves over green, four pixels a frame."""
    for number in range(count):
        pixels = np.full((64, width, 3), GREEN, np.uint8)
        pixels[16:32, 4 * number : 4 * number + 16] = RED
        yield pixels


def made_film(path, codec="libx264", times=range(12), sound=None):
    with av.open(str(path), "w") as film:
        stream = film.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        heard = film.add_stream(sound, rate=48000, layout="mono") if sound else None
        for time, pixels in zip(times, shots(len(times)), strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 24)
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
        if heard is not None:
            tone = np.sin(np.arange(48000, dtype=np.float32) / 20)[None]
            frame = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48000, 0
            film.mux(heard.encode(frame))
            film.mux(heard.encode())
    return path


def made_animation(path, count=8, width=96, **more):
    first, *others = map(Image.fromarray, shots(count, width))
    first.save(path, save_all=True, append_images=others, **{"duration": 50, "loop": 0, **more})
    return path
