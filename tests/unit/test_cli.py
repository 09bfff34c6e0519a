"""The command line: what it says, writes and returns."""

import io
import json
import signal
import sys
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from pictures import jpeg, picture
from PIL import Image

from nst import cli, stylize
from nst.cli import main
from nst.image import saving

SMALL = ("--size", 64, "--iterations", 10)


def call(*arguments) -> int:
    """Run it in this process, which saves the start of another."""
    return main([str(argument) for argument in arguments])


def test_it_paints_films_and_goes_on(photo, painting, tmp_path, capsys):
    out, more, *films = (tmp_path / name for name in ("out.png", "more.png", "film.mp4", "film.webp"))
    how = ["--size", 128, "--iterations", 20, "--style-weight", 7.5]
    assert call(photo, painting, "-o", out, "--time-lapse", films[0], *how) == 0
    printed = capsys.readouterr()
    assert "128 x 85, 20 iterations" in printed.out
    assert "20/20" in printed.err  # the progress bar
    image = Image.open(out)
    assert (image.size, image.mode) == ((128, 85), "RGB")
    settings = json.loads(image.info["Settings"])
    assert settings["style_weight"] == 7.5
    assert settings["painted_with"] == "Narrow network"
    assert "weights" not in settings
    assert call(photo, painting, "-o", more, "--resume", out, "--time-lapse", films[1], *how) == 0
    assert "10 iterations" in capsys.readouterr().out  # the last size's share
    # What they show is looked at elsewhere.
    assert films[0].read_bytes()[4:8] == b"ftyp"
    assert Image.open(films[1]).format == "WEBP"
    assert set(tmp_path.iterdir()) == {photo, painting, out, more, *films}


def test_a_painting_made_again_from_its_settings_is_the_same_file(photo, painting, tmp_path):
    one, two, three = (tmp_path / name for name in ("1.JPG", "2.jpg", "3.webp"))
    how = ["--size", 64, "--iterations", 12, "--initial", "noise", "--seed", 4, "--style-weight", 6.5]
    assert call(photo, painting, painting, "-o", one, *how, "--no-coarse-to-fine") == 0
    assert Image.open(one).format == "JPEG"
    assert call(photo, painting, painting, "-o", two, "--settings-from", one) == 0
    assert one.read_bytes() == two.read_bytes()
    # What is said beside it counts more.
    assert call(photo, painting, "-o", three, "--settings-from", one, "--size", 80) == 0
    assert (Image.open(three).format, Image.open(three).size) == ("WEBP", (80, 53))


def test_masks_and_a_start(photo, painting, tmp_path):
    out, mask = tmp_path / "out.png", Image.new("L", (120, 80))
    mask.paste(255, (0, 0, 60, 80))
    mask.save(tmp_path / "mask.png")
    masks = ["--keep", tmp_path / "mask.png", "--region-2", tmp_path / "mask.png", "--edge", 0]
    few = ["--start", painting, "--size", 120, "--iterations", 10]
    assert call(photo, painting, photo, "-o", out, *few, *masks) == 0
    found, kept = (np.asarray(Image.open(path), int) for path in (out, photo))
    assert np.abs(found - kept)[:, :60].max() == 0
    assert np.abs(found - kept)[:, 60:].mean() > 5
    assert json.loads(Image.open(out).info["Settings"])["initial"] == "picture"


def test_transparency_is_kept_on_wish(painting, tmp_path, capsys):
    out, clear, photo = tmp_path / "out.png", tmp_path / "clear.png", picture(120, 80)
    photo.putalpha(Image.linear_gradient("L").resize(photo.size))
    photo.save(clear)
    assert call(clear, painting, "-o", out, *SMALL, "--transparency") == 0
    assert Image.open(out).getchannel("A").getextrema()[0] < 8
    assert "note" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("no.jpg PAINTING", "The photo was not found: there is no file no.jpg."),
        ("nothing*.jpg PAINTING", "error: No file is named like nothing*.jpg."),
        ("PHOTO PAINTING --size own", "Size (size) is a whole number from 64 to 4096, not 'own'."),
        ("PHOTO PAINTING -o x.bmp", "neither PNG, JPEG, WebP nor TIFF; end its name in .png, .jpg"),
        ("PHOTO PAINTING --weights none.pth", "none.pth does not exist"),
        ("PHOTO", "There is no painting; name one after the photo, or with --style."),
        ("PHOTO PHOTO --style PAINTING", "2 photos need a folder that exists"),
        ("PHOTO PAINTING -o nowhere/", "The folder nowhere for the output does not exist"),
        ("PHOTO PAINTING -o PHOTO", "photo.jpg is a picture to paint from; name another"),
        ("PHOTO PAINTING --time-lapse x.webp -o x.webp", "for both picture and film"),
        ("PHOTO PHOTO --style PAINTING -o . --time-lapse x.mp4", "made of one photo"),
        ("PHOTO PAINTING --settings-from PHOTO", "carries no settings; use a picture"),
        ("PHOTO no.jpg", "The style picture was not found"),
        ("PHOTO PAINTING --size nan", "Size (size) is a whole number from 64 to 4096, not nan."),
        ("PHOTO PAINTING --optimizer magic", "invalid choice"),
        ("PHOTO PAINTING -o nowhere/x.png", "does not exist"),
        ("PHOTO PHOTO --weights PHOTO", "neither safetensors nor"),
        ("PHOTO PAINTING -o PAINTING", "painting.png is a picture to paint from"),
        ("PHOTO PAINTING --time-lapse x.gif", "neither MP4 nor WebP"),
        ("PHOTO PAINTING --resume PAINTING", "other proportions than the photo"),
        ("PHOTO PAINTING --settings-from no.png", "was not found: there is no file no.png"),
        ("PHOTO PAINTING --keep PAINTING", "a mask has the photo's proportions"),
        ("PHOTO PAINTING --style-mask-2 PHOTO", "more style masks than style pictures"),
        ("PHOTO PAINTING --style-layers relu9_9", "There is no layer 'relu9_9'"),
        ("PHOTO PAINTING -o x.gif", "The photo is a picture that does not move; paint it into a PNG"),
        ("CLIP PAINTING -o CLIP", "error: a.mp4 is a picture to paint from"),
        ("CLIP PAINTING -o x.png", "error: a.mp4 is a clip; paint it alone, into a file that ends in"),
        ("CLIP PAINTING -o x.mp4", "error: The photo cannot be read as a clip"),
        ("CLIP PAINTING -o x.mp4 --resume PHOTO", "error: --resume is for photos"),
        ("PHOTO PAINTING -o x.png --frames 3", "error: --frames is for clips"),
    ],
)
def test_misuse_is_a_sentence_and_code_2(photo, painting, arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    places = {"PHOTO": photo, "PAINTING": painting, "CLIP": tmp_path / "a.mp4"}
    places["CLIP"].write_bytes(b"no")
    before = set(tmp_path.iterdir())
    try:
        code = call(*(places.get(word, word) for word in arguments.split()))
    except SystemExit as left:  # argparse's way out
        code = left.code
    assert code == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert set(tmp_path.iterdir()) == before


def test_several_photos_go_into_a_folder(photo, painting, tmp_path, capsys):
    folder, other, broken = tmp_path / "paintings", tmp_path / "other", tmp_path / "broken.jpg"
    folder.mkdir()
    other.mkdir()
    (other / "photo.jpg").write_bytes(jpeg(40, 40)[:-60])
    broken.write_bytes(b"nothing")
    photos = [photo, broken, other / "photo.jpg"]
    few = ["--size", "photo", "--iterations", 10]
    assert call(*photos, "--style", painting, "-o", f"{folder}/", *few) == 2
    printed = capsys.readouterr()
    assert printed.err.count("broken.jpg: The photo is not a picture that can be read here") == 1
    assert "note: photo.jpg has 40 pixels; it is painted with 64." in printed.err
    assert "note: The photo breaks off early" in printed.err
    assert printed.out.count("10 iterations") == 2  # one that cannot be used costs the others nothing
    sizes = {path.name: Image.open(path).size for path in folder.iterdir()}
    assert sizes == {"photo-2.png": (64, 64), "photo.png": (120, 80)}


def test_names_that_are_alike_to_other_systems_are_told_apart():
    photos = ["A.jpg", "b/a.jpg", "\u00e9.jpg", "e\u0301.jpg"]
    expected = ["A.png", "a-2.png", "\u00e9.png", "e\u0301-2.png"]
    assert [path.name for path in cli._outputs("/tmp", photos)] == expected


def test_an_input_is_overwritten_only_on_demand(photo, painting, tmp_path):
    before = photo.read_bytes()
    link = tmp_path / "link.jpg"
    link.symlink_to(photo)
    for name in (link, tmp_path / "." / "photo.jpg"):
        assert call(photo, painting, "-o", name, *SMALL) == 2
        assert photo.read_bytes() == before
    assert call(photo, painting, "-o", photo, "--force", *SMALL) == 0
    assert photo.read_bytes() != before


class Gone(io.StringIO):
    """A stream that takes nothing any more."""

    def write(self, text: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


ASCII = io.TextIOWrapper(io.BytesIO(), "ascii")


@pytest.mark.parametrize("stream", [Gone(), None, ASCII], ids=["gone", "none", "ascii"])
def test_where_nothing_can_be_printed_the_picture_is_there(photo, painting, tmp_path, monkeypatch, stream):
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, stream)
    out = tmp_path / "s\xfcn.png"
    assert call(photo, painting, "-o", out, *SMALL) == 0
    assert out.exists()
    if stream is ASCII:
        assert b"s\\xfcn.png: 64 x 43" in stream.buffer.getvalue()


def test_a_full_disk_loses_nothing(photo, painting, tmp_path, monkeypatch, capsys):
    full = tmp_path / "full"
    full.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    write = saving._write

    def refuse(data, path):
        if path.parent == full:
            raise OSError(28, "No space left on device")
        write(data, path)

    monkeypatch.setattr(saving, "_write", refuse)
    assert call(photo, painting, "-o", full / "x.png", *SMALL) == 3
    printed = capsys.readouterr().err
    assert "error: x.png cannot be written: No space left on device. It is at " in printed
    where = Path(printed.rpartition("It is at ")[2].removesuffix(" instead.\n"))
    assert Image.open(where).size == (64, 43)


def test_what_nobody_foresaw_is_a_sentence_and_not_the_outputs_fault(photo, painting, monkeypatch, capsys):
    monkeypatch.setattr(cli, "stylize", Mock(side_effect=OSError(5, "Input/output error")))
    assert call(photo, painting, "-o", photo.with_name("x.png")) == 1
    assert "something unforeseen broke (OSError: [Errno 5] Input/output error)" in capsys.readouterr().err


def test_ctrl_c_while_the_film_is_made_keeps_the_picture(photo, painting, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(cli.FILMS, ".mp4", Mock(side_effect=KeyboardInterrupt))
    out = tmp_path / "x.png"
    assert call(photo, painting, "-o", out, "--time-lapse", tmp_path / "x.mp4", *SMALL) == 130
    assert Image.open(out).size == (64, 43)
    assert "the film x.mp4 was left out; the picture is kept" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_end_from_outside_keeps_the_picture(photo, painting, tmp_path, monkeypatch, capsys, number):
    def ended(*given, **more):
        for frame in stylize(*given, **more, interval=0):
            yield frame
            if frame.iteration == 3:
                signal.raise_signal(number)

    monkeypatch.setattr(cli, "stylize", ended)

    # Takes it where the program does not, which would end the tests.
    unheard, out = Mock(), tmp_path / "out.png"
    before = signal.signal(number, unheard)
    try:
        assert call(photo, painting, "-o", out, *SMALL) == 128 + number
        assert signal.getsignal(number) is unheard
    finally:
        signal.signal(number, before)
    printed = capsys.readouterr()
    assert "the picture so far is kept" in printed.err
    assert "4 iterations" in printed.out
    assert Image.open(out).getbbox() is not None
