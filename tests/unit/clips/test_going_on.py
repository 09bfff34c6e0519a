"""How long a clip is, whatever its file says of itself."""

from __future__ import annotations

import numpy as np
from clips import made_film

from nst.clips.reading import open_clip


def test_a_long_clip_gets_fewer_frames_a_second_or_ends_early(tmp_path):
    path = made_film(tmp_path / "a.mp4", times=range(48))  # two seconds
    for most, rate in ((48, 24), (24, 12), (5, 10)):
        clip = open_clip(path).within(most)
        assert (clip.rate, len(list(clip.frames(96)))) == (rate, most)


def test_a_clip_is_as_long_as_its_frames_whatever_it_says(tmp_path):
    path = made_film(tmp_path / "a.mkv")
    data = path.read_bytes()
    at = data.index(b"\x44\x89\x88") + 3  # its duration, a float of eight bytes (Matroska, Duration)
    path.write_bytes(data[:at] + np.array(3.6e7, ">f8").tobytes() + data[at + 8 :])
    lying = open_clip(path)
    assert lying.count > 100_000
    assert len(list(lying.frames(96))) == 12


def test_a_clip_that_breaks_off_ends_there(tmp_path):
    path = made_film(tmp_path / "a.mkv", times=range(48))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    assert 1 <= len(list(open_clip(path).frames(96))) < 48
