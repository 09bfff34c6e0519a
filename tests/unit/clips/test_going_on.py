"""A clip that is gone on with, steered and limited, and given as bytes or as frames."""

from __future__ import annotations

import io
from dataclasses import replace
from fractions import Fraction
from itertools import cycle
from pathlib import Path

import av
import numpy as np
import pytest
from clips import made_film
from PIL import Image
from test_clip import SMALL, STYLE, Shots, panned

from nst import Settings
from nst.clips.clip import seconds_of, stylize_clip
from nst.clips.reading import is_clip, open_clip
from nst.clips.writing import write_clip
from nst.image.encodings import of_code, to_srgb


def of_frames(shots, encoder, settings=SMALL, **more):
    """Return the paintings of a clip that is given as an array, and all frames on the way."""
    frames = list(stylize_clip(np.stack(shots), STYLE, settings, encoder=encoder, interval=0, **more))
    return [each.frame for each in frames if each.done], frames


def test_a_clip_goes_on_from_a_painting_of_its_first_frame(encoder):
    shots = panned(4)
    whole, _ = of_frames(shots, encoder)
    rest, frames = of_frames(shots[1:], encoder, resume=whole[1])
    assert [len(rest), frames[0].number, frames[-1].count] == [2, 1, 3]
    for again, before in zip(rest, whole[2:], strict=True):
        assert np.abs(again.image.astype(int) - before.image).mean() < 4


def test_a_change_of_the_sliders_holds_for_the_frames_that_follow(encoder):
    wished = replace(SMALL, style_weight=8.0)
    plain, _ = of_frames(panned(3), encoder)
    steered, _ = of_frames(panned(3), encoder, steer=lambda: wished)
    assert {frame.settings.style_weight for frame in steered} == {8.0}
    assert not np.array_equal(plain[-1].image, steered[-1].image)


def test_the_time_limit_is_the_whole_clips(encoder):
    class Endless(Shots):
        def frames(self, longest):
            return cycle(self.shots)

    clip = Endless(Path(), (96, 64), Fraction(10), 0.4, True, None, True, panned(4))
    frames = list(stylize_clip(clip, STYLE, replace(SMALL, time_limit=1), encoder=encoder))
    assert frames[-1].frame.notice == "The time limit of 1 seconds was reached."
    assert frames[-1].seconds > 1


def test_the_time_that_is_left_is_the_whole_clips(encoder):
    _, frames = of_frames(panned(5), encoder)
    ends = [frame for frame in frames if frame.done]
    assert [frame.seconds for frame in ends] == sorted(frame.seconds for frame in ends)
    assert [frame.remaining > 0 for frame in ends] == [True] * 4 + [False]
    assert seconds_of(10, 1) == 10
    assert 20 < seconds_of(10, 11) < 60


@pytest.mark.parametrize("kind", ["MPO", "TIFF"])
def test_pages_and_versions_of_a_picture_are_no_clip(kind):
    page, file = Image.new("RGB", (64, 64)), io.BytesIO()
    page.save(file, kind, save_all=True, append_images=[page])
    assert not is_clip(file.getvalue())


def test_a_long_clip_gets_fewer_frames_a_second_or_ends_early(tmp_path):
    path = made_film(tmp_path / "a.mp4", times=range(48))  # two seconds
    whole = open_clip(path).within(48)
    assert (whole.rate, len(list(whole.frames(96)))) == (24, 48)
    thinned = open_clip(path).within(24)
    assert (thinned.rate, len(list(thinned.frames(96)))) == (12, 24)
    begun = open_clip(path).within(5)
    assert (begun.rate, len(list(begun.frames(96)))) == (10, 5)


def test_a_clip_is_as_long_as_its_frames_whatever_it_says(tmp_path):
    path = made_film(tmp_path / "a.mkv")
    data = path.read_bytes()
    at = data.index(b"\x44\x89\x88") + 3  # its duration, a float of eight bytes (Matroska, Duration)
    assert open_clip(path).count == 12
    path.write_bytes(data[:at] + np.array(3.6e7, ">f8").tobytes() + data[at + 8 :])
    lying = open_clip(path)
    assert lying.count > 100_000
    assert len(list(lying.frames(96))) == 12


def test_a_film_with_sound_plays_before_it_is_all_there(tmp_path):
    clip = open_clip(made_film(tmp_path / "a.mp4", times=range(40), sound="aac"))
    write_clip(clip.frames(96), clip, tmp_path / "out.mp4")
    data = (tmp_path / "out.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(io.BytesIO(data)) as film:
        assert (film.streams.video[0].frames, film.streams.audio[0].codec_context.name) == (40, "aac")


def test_a_clip_starts_from_a_picture(encoder):
    own = np.full((64, 96, 3), (0, 0, 255), np.uint8)
    begun, frames = of_frames(panned(2), encoder, replace(SMALL, initial="picture"), start=own)
    plain, _ = of_frames(panned(2), encoder)
    assert len(begun) == 2
    assert frames[0].frame.image[..., 2].mean() > frames[0].frame.image[..., 0].mean() + 60
    assert not np.array_equal(begun[0].image, plain[0].image)


def test_the_settings_may_be_a_dictionary(encoder):
    frames = list(stylize_clip(np.stack(panned(2)), STYLE, {"size": 96, "iterations": 10}, encoder=encoder))
    assert frames[-1].frame.settings == Settings(size=96, iterations=10, transparency=False)


def test_what_a_telephone_films_as_hdr_has_its_colours(tmp_path):
    shown = np.full((64, 96, 3), 0.75)  # white (ITU-R BT.2408)
    shown[:, :48] = 0.6, 0.3, 0.1
    with av.open(str(tmp_path / "a.mov"), "w") as film:
        tags = "log-level=none:colorprim=bt2020:transfer=arib-std-b67:colormatrix=bt2020nc"
        stream = film.add_stream("libx265", rate=24, options={"x265-params": tags})
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p10le"
        for number in range(3):
            samples = (shown * 65535).astype(np.uint16)
            frame = av.VideoFrame.from_ndarray(samples, format="rgb48le")
            frame = frame.reformat(format="yuv420p10le", dst_colorspace=9)
            frame.pts, frame.time_base = number, Fraction(1, 24)
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
    pixels = next(open_clip(tmp_path / "a.mov").frames(96))
    wanted = to_srgb(shown.astype(np.float32), of_code(9, 18)) * 255
    for place in (np.s_[32, 20], np.s_[32, 76]):
        assert np.abs(pixels[place] - wanted[place]).max() < 5
    assert pixels[32, 76].min() > 170
