"""Making the narrow network, in small."""

from __future__ import annotations

import pytest
import torch
from conftest import picture
from makers import noise, random_vgg

from nst.lab import distill
from nst.lab.narrow import TAPS, NarrowNetwork
from nst.vgg.encoder import Encoder
from nst.vgg.moments import gram_matrix
from nst.vgg.packed import unpack

WIDTHS = dict(zip(distill.TAPS, (64, 128, 256, 256, 512, 512, 512), strict=True))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures")
    for n in range(24):
        picture(160, 150, seed=n).save(path / f"{n:02}.png")
    return path


def test_channels_are_chosen_that_explain_the_others():
    generator = torch.Generator().manual_seed(0)
    base = torch.randn(500, 3, generator=generator)
    mixed = base @ torch.randn(3, 9, generator=generator)
    values = torch.cat([base * 3, mixed * 0.1], 1)
    chosen = distill.choose(values.T @ values, 3)
    rest = values - values[:, chosen] @ torch.linalg.lstsq(values[:, chosen], values).solution
    assert rest.norm() < 1e-3 * values.norm()
    assert len(set(chosen)) == 3


def test_export_folds_the_map_without_changing_distances():
    torch.manual_seed(0)
    student = distill.NarrowNetwork((4, 5, 6, 7, 8), WIDTHS)
    for matrix in student.maps.values():
        torch.nn.init.normal_(matrix)
    student.mean.fill_(0.45)
    student.std.fill_(0.225)
    a, b = noise(40, 40), noise(40, 40, seed=1)
    encoder = Encoder(student.export(), name="student")
    encoder.mean.fill_(0.45)
    encoder.std.fill_(0.225)
    with torch.no_grad():
        far_a, far_b = student(a), student(b)
    near_a, near_b = encoder(a, distill.TAPS), encoder(b, distill.TAPS)
    for name in distill.TAPS:
        for seen, most in ((torch.Tensor.clone, 1e-3), (gram_matrix, 1e-2)):
            wide = (seen(far_a[name]) - seen(far_b[name])).square().sum()
            narrow = (seen(near_a[name]) - seen(near_b[name])).square().sum()
            assert torch.allclose(wide, narrow, rtol=most), name


def test_a_student_takes_the_convolutions_that_have_its_widths():
    widths = dict.fromkeys(TAPS, 8)
    earlier, later = NarrowNetwork([4, 4, 5, 5, 6], widths), NarrowNetwork([4, 4, 5, 7, 6], widths)
    assert later.take(earlier.export()) == 8
    for n in (0, 7):
        assert torch.equal(later.layers[n].weight, earlier.layers[n].weight)
    assert later.layers[8].weight.shape != earlier.layers[8].weight.shape


def test_pictures_that_look_like_excluded_ones_stay_out(folder, tmp_path):
    picture(300, 280, seed=3).convert("L").save(tmp_path / "other size and grey.png")
    pictures = distill.TrainingPictures(folder, tmp_path)
    assert pictures.left_out == ["03.png"]
    assert pictures.crop(64).shape == (1, 3, 64, 64)
    assert torch.equal(pictures.crop(64, held_out=2), pictures.crop(64, held_out=2))


@pytest.mark.full
def test_the_command_makes_a_student_close_to_its_teacher_and_resumes(
    folder, vgg_file, tmp_path, capsys, monkeypatch
):
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


def test_widths_go_by_block_or_by_convolution():
    each = [4, 3, 5, 4, 6, 5, 5, 7, 8, 6, 5, 5, 9]
    for widths, expected in (((4, 5, 6, 7, 8), [4, 4, 5, 5, *[6] * 4, *[7] * 4, 8]), (each, each)):
        network = distill.NarrowNetwork(widths, WIDTHS)
        assert [convolution.out_channels for convolution in network.convolutions] == expected


def test_the_rate_rises_falls_and_may_have_no_steps():
    rates = [distill.cosine(step, 300) for step in range(301)]
    assert rates[0] < rates[29] > rates[150] > rates[300] > 0
    assert distill.cosine(0, 0) > 0
