"""Clips and animated pictures as frames that follow each other evenly."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nst.errors import InputError
from nst.image.decoding import MIN_SIDE, check_size, fit, open_image
from nst.image.encodings import of_code, to_srgb

# What a film may come in. FFmpeg knows hundreds more, among them lists that name other files and addresses.
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm"
_OPTIONS = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file", "enable_drefs": "0"}
_CODECS = ("h264", "hevc", "vp8", "vp9", "libvpx", "libvpx-vp9", "av1", "libdav1d")
ENDINGS = (".mp4", ".mov", ".m4v", ".webm", ".mkv")
_HDR = 16, 18  # perceptual quantisation, hybrid log-gamma (ITU-T H.273, transfer characteristics)
_RATES = 1, 60  # frames a second, the least and the most
_SLOWEST = 10  # frames a second that a long clip is brought down to, and no further
_EARLY = 0.25  # of a frame's time
_LONGEST = 10.0  # seconds that the last frame of a film is shown, whatever it says
_DEFAULT_RATE = Fraction(10)  # of what says nothing of its own
_UNREADABLE = "{label} cannot be read as a clip; save it as MP4 with H.264."


# How films begin: a name of the first box (ISO 14496-12, QuickTime), or EBML's number (Matroska, WebM).
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_EBML = b"\x1a\x45\xdf\xa3"
_PICTURES = (
    b"avif",
    b"avis",
    b"heic",
    b"heix",
    b"hevc",
    b"mif1",
    b"msf1",
)  # brands of pictures in such boxes
# Of pictures, those whose pages are shown one after the other; others' are pages, or versions of one.
_MOVING = ("GIF", "WEBP", "PNG", "AVIF")

_Shown = tuple[float, float, np.ndarray]
Source = str | Path | bytes  # a file, or all that is in it


@dataclass(frozen=True)
class Clip:
    """What is known of a clip before it is read.

    Frames come at an even rate, whatever the file's own: what its clock shows at that moment.
    """

    source: Source
    size: tuple[int, int]  # as it is seen: turned, and with square pixels
    rate: Fraction  # frames a second
    seconds: float | None  # None where the file does not say
    loops: bool  # whether it begins again at its end
    most: int | None  # frames at most
    animation: bool  # a picture that moves, not a film

    @property
    def count(self) -> int | None:
        """How many frames there will be, if the file tells the truth."""
        whole = None if self.seconds is None else max(1, round(self.seconds * self.rate))
        return min((count for count in (whole, self.most) if count is not None), default=None)

    def within(self, most: int) -> Clip:
        """Return the clip with at most so many frames: fewer a second, or else only its beginning."""
        rate = self.rate
        if self.count is not None and self.count > most and self.seconds:
            fitting = Fraction(most / self.seconds).limit_denominator(1001)
            rate = min(rate, max(fitting, Fraction(_SLOWEST)))
        return replace(self, rate=rate, most=most)

    def frames(self, longest: int) -> Iterator[np.ndarray]:
        """Yield (H, W, 3) uint8, at most `longest` pixels on the longer side.

        Raises:
            InputError: it is damaged so that not one frame can be read.
        """
        pictures = (_animation if self.animation else _film)(self.source, fit(*self.size, longest))
        number, shown, ends = 0, None, 0.0
        with contextlib.closing(pictures):
            for begins, lasts, pixels in pictures:
                # The one before is shown until this one begins; files round their times to a millisecond.
                while shown is not None and (number + _EARLY) / self.rate < begins:
                    if self.most is not None and number >= self.most:
                        return
                    yield shown
                    number += 1
                shown, ends = pixels, begins + lasts
        if shown is None:
            raise InputError(_UNREADABLE.format(label="The clip"))
        while (not number or (number + _EARLY) / self.rate < ends) and number != self.most:
            yield shown
            number += 1


def is_film(source: Source) -> bool:
    """Return whether a file is a film, by how it begins or, if it is named, by its name."""
    if not isinstance(source, bytes):
        if Path(source).suffix.lower() in ENDINGS:
            return True
        try:
            with Path(source).open("rb") as file:
                source = file.read(12)
        except OSError:
            return False
    head = source[:12]
    return head.startswith(_EBML) or (head[4:8] in _BOXES and head[8:] not in _PICTURES)


def is_clip(source: Source) -> bool:
    """Return whether a file moves: a film, or a picture that has more than one frame."""
    if is_film(source):
        return True
    try:
        with open_image(source, "The photo") as opened:
            return _count(opened) > 1
    except InputError:
        return False


def open_clip(
    source: Source, label: str = "The clip", rate: float | None = None, most: int | None = None
) -> Clip:
    """Return what a clip is, from its header.

    Args:
        source: MP4, MOV or WebM, or an animated GIF, WebP, PNG or AVIF; a path, or the bytes of the file.
        label: how to call it in messages.
        rate: frames a second, at most its own; its own if left out.
        most: frames at most, from its beginning.

    Raises:
        InputError: it is none of these, damaged, too small or too large.
    """
    described = _describe_film if is_film(source) else _describe_animation
    size, own, seconds, loops = described(source, label)
    check_size(*size, label, MIN_SIDE)
    own = min(max(own, Fraction(_RATES[0])), Fraction(_RATES[1]))
    wanted = own if rate is None else min(own, Fraction(rate).limit_denominator(1001))
    return Clip(source, size, wanted, seconds, loops, most, described is _describe_animation)


@contextlib.contextmanager
def opened_film(source: Source, label: str = "The clip") -> Iterator[Any]:
    """Yield a film, open for reading.

    Raises:
        InputError: it is none, or of a kind that is not read here.
    """
    import av

    try:
        file = io.BytesIO(source) if isinstance(source, bytes) else str(source)
        container = av.open(file, options=_OPTIONS, metadata_errors="replace")
    except (OSError, ValueError, av.FFmpegError) as error:
        if isinstance(error, FileNotFoundError) and not isinstance(source, bytes):
            raise InputError(f"{label} {Path(source).name} does not exist.") from error
        raise InputError(_UNREADABLE.format(label=label)) from error
    with container:
        if not container.streams.video:
            raise InputError(f"{label} has no pictures, only sound.")
        coder = container.streams.video[0].codec_context
        if coder is None or coder.codec.name not in _CODECS:
            raise InputError(_UNREADABLE.format(label=label))
        yield container


def _describe_film(source: Source, label: str) -> tuple[tuple[int, int], Fraction, float | None, bool]:
    with opened_film(source, label) as container:
        stream = container.streams.video[0]
        rate = stream.average_rate or stream.guessed_rate or _DEFAULT_RATE
        length = stream.duration * stream.time_base if stream.duration else None
        if length is None and container.duration:
            length = Fraction(container.duration, 1_000_000)
        first = next(container.decode(video=0), None)
        if first is None:
            raise InputError(_UNREADABLE.format(label=label))
        width, height = first.width, first.height
        if shape := stream.sample_aspect_ratio:
            width = max(1, round(width * shape))
        size = (height, width) if first.rotation % 180 else (width, height)
        return size, Fraction(rate), None if length is None else float(length), False


def _film(source: Source, size: tuple[int, int]) -> Generator[_Shown, None, None]:
    """Yield when each frame begins and for how long it is shown, in seconds, and its pixels."""
    import av

    with opened_film(source) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        usual = float(1 / (stream.average_rate or _DEFAULT_RATE))
        began = None
        try:
            for frame in container.decode(video=0):
                if frame.time is None:
                    continue
                began = frame.time if began is None else began
                turned = frame.rotation % 360
                width, height = size[::-1] if turned % 180 else size
                pixels = _rgb(frame, width, height)
                lasts = min(float(frame.duration * frame.time_base), _LONGEST) if frame.duration else usual
                yield frame.time - began, lasts, np.ascontiguousarray(np.rot90(pixels, turned // 90))
        except av.FFmpegError:
            return  # damaged from here on: what there is, is shown


def _rgb(frame: Any, width: int, height: int) -> np.ndarray:
    """Return a frame's pixels; what telephones film as HDR is toned down to what other screens show."""
    hdr = frame.color_trc in _HDR
    kind = "rgb48le" if hdr else "rgb24"
    pixels = frame.reformat(width, height, kind, src_colorspace=_colors(frame)).to_ndarray()
    encoding = of_code(int(frame.color_primaries), int(frame.color_trc)) if hdr else None
    if encoding is None:
        return pixels
    return (to_srgb(pixels.astype(np.float32) / 65535, encoding) * 255).round().astype(np.uint8)


def _colors(frame: Any) -> Any:
    """Return how a frame codes colours; where it does not say, as players take it by its height."""
    from av.video.reformatter import Colorspace

    known = {int(one) for one in Colorspace} - {int(Colorspace.FCC)}
    if int(frame.colorspace) in known:
        return frame.colorspace
    return Colorspace.ITU709 if frame.height >= 720 else Colorspace.ITU601


def _describe_animation(source: Source, label: str) -> tuple[tuple[int, int], Fraction, float | None, bool]:
    with open_image(source, label) as opened:
        if _count(opened) < 2:
            raise InputError(f"{label} is a picture that does not move; paint it into a PNG or JPEG.")
        times = [duration for duration, _ in _pages(opened)]
        typical = sorted(times)[len(times) // 4]
        # 0 is for ever; a GIF plays once unless it says otherwise, and then at least twice.
        loops = "loop" in opened.info if opened.format == "GIF" else opened.info.get("loop", 0) == 0
        return opened.size, Fraction(1000, round(typical * 1000)), sum(times), loops


def _animation(source: Source, size: tuple[int, int]) -> Generator[_Shown, None, None]:
    begins = 0.0
    with open_image(source, "The clip") as opened:
        for duration, page in _pages(opened):
            white = Image.new("RGBA", page.size, "white")
            picture = Image.alpha_composite(white, page.convert("RGBA")).convert("RGB")
            yield begins, duration, np.array(picture.resize(size, Image.Resampling.BICUBIC))
            begins += duration


def _count(opened: Image.Image) -> int:
    """Return how many frames a picture has that follow each other."""
    return int(getattr(opened, "n_frames", 1)) if opened.format in _MOVING else 1


def _pages(opened: Image.Image) -> Iterator[tuple[float, Image.Image]]:
    """Yield how many seconds each page is shown, and the page; browsers show none for less than 20 ms."""
    for number in range(_count(opened)):
        try:
            opened.seek(number)
            opened.load()
        except (OSError, EOFError, SyntaxError, ValueError):
            return
        duration = float(opened.info.get("duration") or 0)
        yield (duration if duration >= 20 else 100) / 1000, opened
