"""A host that gives little memory: `ulimit -v`, a batch system, a small container."""

from __future__ import annotations

import subprocess
import sys

import pytest
from conftest import ROOT

from nst.host.memory import address_space_left

resource = pytest.importorskip("resource")

# Holds itself to so many bytes more than it has with everything imported, and paints.
PAINTS = """
import resource, sys
from nst import cli
from nst.host.cgroups import numbers
from pathlib import Path
held = 1024 * numbers(Path("/proc/self/status"))["VmSize:"]
resource.setrlimit(resource.RLIMIT_AS, (held + int(sys.argv[1]),) * 2)
sys.exit(cli.main(sys.argv[2:]))
"""


def run(*arguments, limit=None):
    def hold() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        preexec_fn=hold if limit else None,
    )


@pytest.mark.parametrize("command", [["-m", "nst", "a.jpg", "b.jpg"], ["app.py"]], ids=["nst", "page"])
def test_where_torch_does_not_even_load_it_is_a_sentence(command):
    done = run(*command, limit=600_000_000)
    assert done.returncode == 2
    assert done.stderr.startswith("error: A package cannot be loaded (")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(("more", "code"), [(100_000_000, 2), (2_500_000_000, 0)])
def test_what_is_left_is_painted_in_or_it_is_said(more, code, photo, painting, tmp_path):
    output = tmp_path / "out.png"
    done = run("-c", PAINTS, more, photo, painting, "-o", output, "--size", 64, "--iterations", 10)
    assert done.returncode == code, done.stderr
    if code:
        assert done.stderr.endswith(
            "error: This host has not enough memory for even a small painting; try again later.\n"
        )
    assert output.is_file() == (code == 0)


def test_a_limit_of_ones_own_counts(monkeypatch, tmp_path):
    status = tmp_path / "status"
    status.write_text("Name:\tpython\nVmSize:\t  2000000 kB\n")
    for limit, left in [(resource.RLIM_INFINITY, None), (1_000_000_000, 0), (2_048_000_000 + 2**30, 2**29)]:
        monkeypatch.setattr(resource, "getrlimit", lambda _, limit=limit: (limit, limit))
        assert address_space_left(status) == left
    assert address_space_left(tmp_path / "none") is None
