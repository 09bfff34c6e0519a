"""An H.264 film that browsers and messengers play."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from nst.image.transparency import pixels_on_white

_BT709 = 1  # primaries and transfer, ITU-T H.273


def as_film(frames: Iterable[np.ndarray], rate: Fraction) -> bytes:
    """Return frames as an MP4, which plays before it is all there ("faststart").

    Args:
        frames: (H, W, 3) or (H, W, 4) uint8 each, of one size; an odd side loses a row or column.
        rate: frames a second.

    Raises:
        ValueError: there are no frames.
    """
    # Imported late: visitors who want no film need not wait for it.
    import av
    from av.video.reformatter import ColorRange, Colorspace

    stream: Any = None
    with tempfile.TemporaryDirectory(prefix="nst-") as folder:
        file = Path(folder) / "film.mp4"  # an index can only be put first in a file
        with av.open(file, "w", options={"movflags": "faststart"}) as container:
            for pixels in frames:
                height, width = (max(2, side // 2 * 2) for side in pixels.shape[:2])
                if stream is None:
                    stream = _begin(container, rate, width, height)
                even = np.ascontiguousarray(pixels_on_white(pixels)[:height, :width])
                frame = av.VideoFrame.from_ndarray(even, format="rgb24").reformat(
                    format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
                )
                container.mux(stream.encode(frame))
            if stream is None:
                raise ValueError("there are no frames to make a film of")
            container.mux(stream.encode())
        return file.read_bytes()


def _begin(container: Any, rate: Fraction, width: int, height: int) -> Any:
    from av.video.reformatter import ColorRange, Colorspace

    stream = container.add_stream("libx264", rate=rate, options={"crf": "19"})
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    # Said in the file: players take an unnamed film for one or the other by its height.
    coder = stream.codec_context
    coder.colorspace, coder.color_range = Colorspace.ITU709, ColorRange.MPEG
    coder.color_primaries = coder.color_trc = _BT709
    return stream
