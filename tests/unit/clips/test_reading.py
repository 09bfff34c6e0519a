"""Clips and pictures that move, read as frames that follow each other evenly, and written as they came."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from clips import GREEN, made_animation, made_film
from pictures import encoded
from PIL import Image

from nst import InputError
from nst.clips.reading import is_clip, open_clip
from nst.clips.writing import write_clip
from nst.image.encodings import of_code, to_srgb


def steps(clip):
    """Return which shot each frame shows, by where the red begins on the left."""
    red = [pixels[24 * len(pixels) // 64, :, 0] > 120 for pixels in clip.frames(96)]
    return [int(np.argmax(row)) * 96 // len(row) / 4 for row in red]


FILMS = {
    "a.mp4": "libx264",
    "a.mov": "libx265",
    "a.webm": "libvpx",
    "b.webm": "libvpx-vp9",
    "a.mkv": "libsvtav1",
}
ANIMATIONS = dict.fromkeys(["a.gif", "a.webp", "a.png", "a.avif"])


@pytest.mark.parametrize(("name", "codec"), {**FILMS, **ANIMATIONS}.items())
def test_a_clip_is_read_frame_by_frame(name, codec, tmp_path):
    path, moves = tmp_path / name, codec is None
    clip = open_clip(made_animation(path, 12) if moves else made_film(path, codec))
    assert is_clip(path)
    assert (clip.size, clip.rate, clip.count) == ((96, 64), 20 if moves else 24, 12)
    assert (clip.animation, clip.loops) == (moves, moves)
    assert steps(clip) == pytest.approx(range(12), abs=0.5)
    assert np.abs(next(clip.frames(96))[-4, -4].astype(int) - GREEN).max() < 8


def test_frames_come_evenly_whatever_the_films_clock_does(tmp_path):
    # Sixteen a second on average; the third stands for four twenty-fourths.
    clip = open_clip(made_film(tmp_path / "a.mp4", times=[0, 1, 2, 6, 7, 8]))
    assert steps(clip) == pytest.approx([0, 1, 2, 2, 3, 4], abs=0.5)
    fewer = open_clip(made_film(tmp_path / "b.mp4"), rate=12)
    assert steps(fewer) == pytest.approx([0, 2, 4, 6, 8, 10], abs=0.5)
    paused = open_clip(made_animation(tmp_path / "a.gif", 3, duration=[100, 400, 100]))
    assert steps(paused) == [0, 1, 1, 1, 1, 2]


def test_a_long_clip_gets_fewer_frames_a_second_or_ends_early(tmp_path):
    path = made_film(tmp_path / "a.mp4", times=range(48))  # two seconds
    for most, rate in ((48, 24), (24, 12), (5, 10)):
        clip = open_clip(path).within(most)
        assert (clip.rate, len(list(clip.frames(96)))) == (rate, most)


def test_a_clip_is_as_long_as_its_frames_whatever_it_says(tmp_path):
    path = made_film(tmp_path / "a.mkv", times=range(48))
    data = path.read_bytes()
    at = data.index(b"\x44\x89\x88") + 3  # its duration, a float of eight bytes (Matroska, Duration)
    path.write_bytes(data[:at] + np.array(3.6e7, ">f8").tobytes() + data[at + 8 :])
    lying = open_clip(path)
    assert lying.count > 100_000
    assert len(list(lying.frames(96))) == 48
    path.write_bytes(data[: len(data) * 3 // 4])  # one that breaks off
    assert 1 <= len(list(open_clip(path).frames(96))) < 48


def test_a_telephones_film_is_upright(tmp_path):
    path = made_film(tmp_path / "a.mp4")
    data = path.read_bytes()
    # The display matrix of the track (ISO 14496-12, 8.3.2): a quarter turn to the right.
    plain = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    turned = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 64 << 16, 0, 1 << 30)
    at = data.index(plain, data.index(b"tkhd"))
    path.write_bytes(data[:at] + turned + data[at + len(turned) :])
    clip = open_clip(path)
    assert clip.size == (64, 96)
    red = next(clip.frames(96))[..., 0]
    # What was at the top on the left is there on the right.
    assert red.shape == (96, 64)
    assert red[8, 64 - 24] > 120 > red[8, 24]


def test_what_a_telephone_films_as_hdr_has_its_colours(tmp_path):
    shown = np.full((64, 96, 3), 0.75)  # white (ITU-R BT.2408)
    shown[:, :48] = 0.6, 0.3, 0.1
    with av.open(str(tmp_path / "a.mov"), "w") as film:
        tags = "log-level=none:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc"
        stream = film.add_stream("libx265", rate=24, options={"x265-params": tags})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p10le"
        frame = av.VideoFrame.from_ndarray((shown * 65535).astype(np.uint16), format="rgb48le")
        frame = frame.reformat(format="yuv420p10le", dst_colorspace=9)
        frame.pts, frame.time_base = 0, Fraction(1, 24)
        film.mux([*stream.encode(frame), *stream.encode()])
    pixels = next(open_clip(tmp_path / "a.mov").frames(96))
    wanted = to_srgb(shown.astype(np.float32), of_code(9, 18)) * 255
    for place in (np.s_[32, 20], np.s_[32, 76]):
        assert np.abs(pixels[place] - wanted[place]).max() < 5
    assert pixels[32, 76].min() > 170


NO_CLIPS = {
    "empty": b"",
    "playlist": b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n",
    "list of files": b"ffconcat version 1.0\nfile '/etc/passwd'\n",
    "stream": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
    "cut off early": lambda path: path.write_bytes(made_film(path).read_bytes()[:1500]),
    "other codec": lambda path: made_film(path, "mpeg4"),
}


@pytest.mark.parametrize("content", NO_CLIPS.values(), ids=NO_CLIPS)
def test_what_is_no_clip_is_said(content, tmp_path):
    path = tmp_path / "a.mp4"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content(path)
    with pytest.raises(InputError, match=r"^The clip cannot be read as a clip; save it as MP4 with H"):
        open_clip(path)


def test_a_picture_that_does_not_move_or_is_too_small_is_told_as_that(tmp_path):
    still, small = made_animation(tmp_path / "a.png", 1), made_animation(tmp_path / "a.gif", width=8)
    page = Image.new("RGB", (64, 64))
    pages = (encoded(page, kind, save_all=True, append_images=[page]) for kind in ("MPO", "TIFF"))
    assert not any(map(is_clip, (still, *pages)))
    with pytest.raises(InputError, match="is a picture that does not move"):
        open_clip(still)
    with pytest.raises(InputError, match="is 8 x 64 pixels, which is too small to paint with"):
        open_clip(small)


@pytest.mark.parametrize(
    ("ending", "loops"), [("mp4", True), ("webp", True), ("webp", False), ("gif", True), ("gif", False)]
)
def test_it_is_written_as_it_came(ending, loops, tmp_path):
    clip = open_clip(made_animation(tmp_path / "a.gif", 6, **({} if loops else {"loop": None})))
    output = tmp_path / f"out.{ending}"
    assert write_clip(clip.frames(96), clip, output) == 6
    again = open_clip(output)
    assert (again.size, again.count, again.rate) == ((96, 64), 6, 20)
    assert (clip.loops, again.loops) == (loops, loops and ending != "mp4")
    assert steps(again) == pytest.approx(range(6), abs=0.5)


@pytest.mark.parametrize(("name", "sound"), [("a.mp4", "aac"), ("b.webm", "libopus")])
def test_a_films_sound_comes_along_and_plays_before_the_film_is_all_there(name, sound, tmp_path):
    clip = open_clip(made_film(tmp_path / name, FILMS[name], sound=sound), most=6)
    output = tmp_path / "out.mp4"
    write_clip(clip.frames(96), clip, output)
    data = output.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(str(output)) as film:
        (heard,) = film.streams.audio
        packets = [packet for packet in film.demux(heard) if packet.pts is not None]
        assert 0.15 < float(packets[-1].pts * packets[-1].time_base) <= 0.25 + 0.05
        assert film.streams.video[0].frames == 6
