"""An H.264 film that browsers and messengers play, written frame by frame."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from nst.image.transparency import pixels_on_white

_BT709 = 1  # primaries and transfer, ITU-T H.273
# Codecs of sound that players expect in an MP4; packets of these are taken over as they are.
_SOUND = ("aac", "mp3", "opus", "ac3", "eac3", "alac", "flac")


class Film:
    """Takes frames of one size and writes them into a file.

    Args:
        container: of PyAV, open for writing.
        rate: frames a second.
        sound: the stream of another file whose sound comes along.
    """

    def __init__(self, container: Any, rate: Fraction, sound: Any = None) -> None:
        self._container, self._rate = container, rate
        self._sound = sound
        self._stream: Any = None
        self._copy: Any = None
        self._count = 0

    def add(self, pixels: np.ndarray) -> None:
        """Add a frame, (H, W, 3) or (H, W, 4) uint8; an odd side loses a row or column."""
        # Imported late: visitors who want no film need not wait for it.
        import av
        from av.video.reformatter import ColorRange, Colorspace

        height, width = (max(2, side // 2 * 2) for side in pixels.shape[:2])
        if self._stream is None:
            self._stream = self._begin(width, height)
        even = np.ascontiguousarray(pixels_on_white(pixels)[:height, :width])
        frame = av.VideoFrame.from_ndarray(even, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
        )
        self._container.mux(self._stream.encode(frame))
        self._count += 1

    def finish(self) -> None:
        """Write what is left, and the sound."""
        if self._stream is None:
            raise ValueError("there are no frames to make a film of")
        self._container.mux(self._stream.encode())
        if self._copy is not None:
            end = self._count / self._rate
            for packet in self._sound.container.demux(self._sound):
                if packet.pts is None or packet.pts * packet.time_base > end:
                    continue
                packet.stream = self._copy
                self._container.mux(packet)

    def _begin(self, width: int, height: int) -> Any:
        from av.video.reformatter import ColorRange, Colorspace

        stream = self._container.add_stream("libx264", rate=self._rate, options={"crf": "19"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        # Said in the file: players take an unnamed film for one or the other by its height.
        coder = stream.codec_context
        coder.colorspace, coder.color_range = Colorspace.ITU709, ColorRange.MPEG
        coder.color_primaries = coder.color_trc = _BT709
        # A stream can only be added before the first frame.
        self._copy = self._container.add_stream_from_template(self._sound) if self._sound else None
        return stream


@contextlib.contextmanager
def film(file: Path, rate: Fraction, sound: Any = None) -> Iterator[Film]:
    """Yield a film that is whole in `file` afterwards.

    Args:
        file: an MP4, which plays before it is all there ("faststart").
        rate: frames a second.
        sound: as for `Film`; left out where players would not know it.
    """
    import av

    if sound is not None and sound.codec_context.name not in _SOUND:
        sound = None
    with av.open(file, "w", options={"movflags": "faststart"}) as container:
        made = Film(container, rate, sound)
        yield made
        made.finish()
