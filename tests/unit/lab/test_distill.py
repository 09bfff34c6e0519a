"""Making the networks of the package, in small: the narrow one, and VGG-19 in fewer bits."""

import pytest
import torch
from conftest import tiny_convolutions
from makers import random_vgg
from pictures import picture
from safetensors.torch import save_file

from nst.lab import distill, pack
from nst.vgg.encoder import Encoder
from nst.vgg.moments import gram_matrix
from nst.vgg.packed import unpack


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures")
    for n in range(24):
        picture(160, 150, seed=n).save(path / f"{n:02}.png")
    return path


def test_pictures_that_look_like_excluded_ones_stay_out(folder, tmp_path):
    picture(300, 280, seed=3).convert("L").save(tmp_path / "other size and grey.png")
    pictures = distill.TrainingPictures(folder, tmp_path)
    assert pictures.left_out == ["03.png"]
    assert pictures.crop(64).shape == (1, 3, 64, 64)


@pytest.mark.full
def test_a_student_is_close_to_its_teacher_and_resumes(folder, vgg_file, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(distill, "_SCORED", 64)
    out = tmp_path / "student.safetensors"
    common = ["--images", str(folder), "--teacher", str(vgg_file), "-o", str(out)]
    common += ["--widths", "8", "12", "16", "16", "16", "--crops", "2", "--batch", "2", "--crop", "64"]
    for steps in (2, 3):
        assert distill.main([*common, "--steps", str(steps)]) == 0
        printed = capsys.readouterr().out
        assert ("closed form" in printed) == (steps == 2)
        assert "trained" in printed
        assert torch.load(out.with_suffix(".state"), weights_only=True)["step"] == steps
    image = distill.TrainingPictures(folder).crop(96, held_out=0)
    student, teacher = Encoder(unpack(out), name="student"), Encoder(random_vgg(), name="teacher")
    for name, most in (("relu1_1", 0.3), ("relu2_1", 0.6)):
        ours, theirs = (gram_matrix(each(image, [name])[name]).trace() for each in (student, teacher))
        assert abs(ours / theirs - 1) < most, name


def test_misuse_is_a_sentence(folder, vgg_file, tmp_path, capsys):
    for arguments, message in (
        (f"--images {tmp_path} --teacher {vgg_file} -o x", "at least 20 are needed"),
        (f"--images {folder} --teacher no.pth -o x", "no.pth does not exist"),
    ):
        assert distill.main(arguments.split()) == 2
        assert message in capsys.readouterr().err
    with pytest.raises(SystemExit):
        distill.main(f"--images {folder} -o x --widths 4 5".split())
    assert "--widths takes 5 or 13 numbers" in capsys.readouterr().err


def test_a_packed_network_sees_what_the_whole_one_sees_the_better_the_more_bits_it_has(tmp_path):
    convolutions = tiny_convolutions(13)
    encoder = Encoder(convolutions, name="whole")
    crops = torch.nn.functional.interpolate(torch.rand(6, 3, 6, 6), (64, 64), mode="bicubic").clamp(0, 1)
    crops = crops.split(1)
    count = sum(value.numel() for key, value in convolutions.items() if key.endswith("weight"))
    errors = []
    for bits in (4, 6):
        file = tmp_path / f"{bits}.safetensors"
        save_file(pack.pack(encoder, crops, bits * count // 8), file)
        packed = Encoder(unpack(file), name="packed")
        errors.append(pack.score(encoder, packed, crops[:2]))
    assert list(errors[0]) == list(pack.LOOKED_AT)
    assert all(more < 0.01 for more in errors[1].values()), errors
    assert sum(errors[1].values()) < 0.5 * sum(errors[0].values())
