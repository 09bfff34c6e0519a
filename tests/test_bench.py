"""The benchmark runs and prints what it says; no speed is asserted."""

from __future__ import annotations

import torch
from safetensors.torch import save_file

from nst import bench
from nst.weights import KEYS


def test_iterations_are_compared_in_one_run(tmp_path, capsys):
    generator = torch.Generator().manual_seed(0)
    state = {key: 0.05 * torch.randn(shape, generator=generator) for key, shape in KEYS.items()}
    save_file(state, tmp_path / "vgg.safetensors")
    command = [
        "iteration",
        "--sizes",
        "64",
        "96",
        "--rounds",
        "3",
        "--weights",
        str(tmp_path / "vgg.safetensors"),
    ]
    assert bench.main(command) == 0
    host, heading, *rows = capsys.readouterr().out.splitlines()
    assert f"torch {torch.__version__}" in host
    assert heading.split()[:2] == ["size", "encoder"]
    cells = [row.split() for row in rows]
    assert [cell[:2] for cell in cells] == [[s, e] for s in ("64", "96") for e in ("vgg19", "builtin")]
    for vgg19, builtin in (cells[:2], cells[2:]):
        assert float(vgg19[4]) == 1
        assert abs(float(builtin[4]) - float(builtin[2]) / float(vgg19[2])) < 0.02 + 0.1 / float(vgg19[2])


def test_without_weights_it_says_so(capsys):
    assert bench.main(["iteration", "--weights", "missing.safetensors"]) == 2
    assert "missing.safetensors does not exist" in capsys.readouterr().err
