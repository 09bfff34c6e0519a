"""Clips and pictures that move, read as frames that follow each other evenly."""

from __future__ import annotations

import struct

import av
import numpy as np
import pytest
from clips import GREEN, made_animation, made_film
from PIL import Image

from nst import InputError
from nst.clips.reading import is_clip, open_clip
from nst.clips.writing import write_clip

PIECES = ("gif", "webp", "png", "avif")


def left_of_red(pixels):
    return int(np.argmax(pixels[24 * len(pixels) // 64, :, 0] > 120)) * 96 // pixels.shape[1]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mov", "libx265"),
        ("a.webm", "libvpx"),
        ("b.webm", "libvpx-vp9"),
        ("a.mkv", "libsvtav1"),
    ],
)
def test_a_film_is_read_frame_by_frame(name, codec, tmp_path):
    clip = open_clip(made_film(tmp_path / name, codec))
    assert (clip.size, clip.rate, clip.count, clip.animation) == ((96, 64), 24, 12, False)
    frames = list(clip.frames(96))
    assert len(frames) == 12
    assert all(abs(left_of_red(pixels) - 4 * number) <= 2 for number, pixels in enumerate(frames))
    assert np.abs(frames[0][-4, -4].astype(int) - GREEN).max() < 8


@pytest.mark.parametrize("kind", PIECES)
def test_a_picture_that_moves_is_one(kind, tmp_path):
    path = made_animation(tmp_path / f"a.{kind}")
    clip = open_clip(path)
    assert is_clip(path)
    assert (clip.size, clip.rate, clip.count, clip.animation, clip.loops) == ((96, 64), 20, 8, True, True)
    assert [left_of_red(pixels) for pixels in clip.frames(96)] == pytest.approx(range(0, 32, 4), abs=1)


def test_frames_come_evenly_whatever_the_films_clock_does(tmp_path):
    # Sixteen a second on average; the third stands for four twenty-fourths.
    clip = open_clip(made_film(tmp_path / "a.mp4", times=[0, 1, 2, 6, 7, 8]))
    assert [left_of_red(pixels) // 4 for pixels in clip.frames(96)] == [0, 1, 2, 2, 3, 4]
    paused = open_clip(made_animation(tmp_path / "a.gif", 3, duration=[100, 400, 100]))
    assert [left_of_red(pixels) // 4 for pixels in paused.frames(96)] == [0, 1, 1, 1, 1, 2]


def test_fewer_frames_can_be_asked_for(tmp_path):
    path = made_film(tmp_path / "a.mp4")
    assert [left_of_red(pixels) // 4 for pixels in open_clip(path, rate=12).frames(96)] == [0, 2, 4, 6, 8, 10]
    few = open_clip(path, rate=12, most=2)
    assert few.count == len(list(few.frames(96))) == 2
    assert next(few.frames(48)).shape == (32, 48, 3)


def test_a_telephones_film_is_upright(tmp_path):
    path = made_film(tmp_path / "a.mp4")
    data = path.read_bytes()
    # The display matrix of the track (ISO 14496-12, 8.3.2): a quarter turn to the right.
    plain = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    turned = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 64 << 16, 0, 1 << 30)
    track = data.index(b"tkhd")
    at = data.index(plain, track)
    path.write_bytes(data[:at] + turned + data[at + len(turned) :])
    clip = open_clip(path)
    assert clip.size == (64, 96)
    first = next(clip.frames(96))
    # What was at the top on the left is there on the right.
    assert first.shape == (96, 64, 3)
    assert first[8, 64 - 24, 0] > 120
    assert first[8, 24, 0] < 120


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        b"#EXTM3U\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n",
        b"ffconcat version 1.0\nfile '/etc/passwd'\n",
        b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
        b"\0\0\0\x18ftypisom\0\0\0\0isommp42",
        b"RIFF\0\0\0\0AVI LIST",
    ],
    ids=["empty", "page", "playlist", "list of files", "stream", "only a head", "other container"],
)
def test_what_is_no_clip_is_said(data, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(data)
    with pytest.raises(
        InputError, match=r"^The clip cannot be read as a clip; save it as MP4 with H\.264\.$"
    ):
        open_clip(path)


def test_other_codecs_are_not_decoded(tmp_path):
    with pytest.raises(InputError, match="cannot be read as a clip"):
        open_clip(made_film(tmp_path / "a.mp4", "mpeg4"))


def test_a_clip_that_breaks_off_ends_there(tmp_path):
    path = made_film(tmp_path / "a.mkv", times=range(48))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    frames = list(open_clip(path).frames(96))
    assert 1 <= len(frames) <= 48
    with pytest.raises(InputError, match="cannot be read"):
        cut = tmp_path / "b.mp4"
        cut.write_bytes(made_film(tmp_path / "c.mp4").read_bytes()[:1500])
        open_clip(cut)


def test_a_picture_that_does_not_move_is_none(tmp_path):
    path = tmp_path / "a.png"
    Image.new("RGB", (64, 64)).save(path)
    assert not is_clip(path)
    with pytest.raises(InputError, match="is a picture that does not move"):
        open_clip(path)
    with pytest.raises(InputError, match="does not exist"):
        open_clip(tmp_path / "none.mp4")


def test_what_is_too_small_is_told_as_that(tmp_path):
    small = [Image.new("RGB", (8, 40), colour) for colour in ("red", "blue")]
    small[0].save(tmp_path / "a.gif", save_all=True, append_images=small[1:])
    with pytest.raises(InputError, match="is 8 x 40 pixels, which is too small to paint with"):
        open_clip(tmp_path / "a.gif")


@pytest.mark.parametrize("ending", ["mp4", "webp", "gif"])
@pytest.mark.parametrize("loops", [True, False], ids=["loops", "once"])
def test_it_is_written_as_it_came(ending, loops, tmp_path):
    source = made_animation(tmp_path / "a.gif", 6, **({} if loops else {"loop": None}))
    clip = open_clip(source)
    assert clip.loops == loops
    output = tmp_path / f"out.{ending}"
    assert write_clip(clip.frames(96), clip, output) == 6
    again = open_clip(output)
    assert (again.size, again.count, again.rate) == ((96, 64), 6, 20)
    if ending != "mp4":
        assert again.loops == loops
    assert [left_of_red(pixels) // 4 for pixels in again.frames(96)] == list(range(6))


@pytest.mark.parametrize(("name", "sound"), [("a.mp4", "aac"), ("a.webm", "libopus")])
def test_a_films_sound_comes_along(name, sound, tmp_path):
    source = made_film(tmp_path / name, "libx264" if name.endswith("mp4") else "libvpx-vp9", sound=sound)
    clip = open_clip(source, most=6)
    write_clip(clip.frames(96), clip, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as film:
        (heard,) = film.streams.audio
        packets = [packet for packet in film.demux(heard) if packet.pts is not None]
        assert 0.15 < float(packets[-1].pts * packets[-1].time_base) <= 0.25 + 0.05
        assert film.streams.video[0].frames == 6
