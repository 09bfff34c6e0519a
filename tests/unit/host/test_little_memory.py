"""A host that gives little memory: `ulimit -v`, a batch system, a small container."""

import resource
import subprocess
import sys

from conftest import ROOT
from PIL import Image

from nst.host.memory import address_space_left, available

# With everything imported it holds itself to so many bytes more, first few and then enough, and paints.
PAINTS = """
import resource, sys
from nst import cli
from nst.host.cgroups import numbers
from pathlib import Path
held = 1024 * numbers(Path("/proc/self/status"))["VmSize:"]
most = resource.getrlimit(resource.RLIMIT_AS)[1]
for more, code in ((100_000_000, 2), (2_500_000_000, 0)):
    resource.setrlimit(resource.RLIMIT_AS, (held + more, most))
    assert cli.main(sys.argv[1:]) == code
"""


def run(*arguments, **how):
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **how)


def test_where_torch_does_not_even_load_it_is_a_sentence():
    few = (600_000_000, 600_000_000)
    hold = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_AS, few)}
    done = run("-m", "nst", "a.jpg", "b.jpg", **hold)
    assert done.returncode == 2
    assert done.stderr.startswith("error: A package cannot be loaded (")
    assert done.stderr.count("\n") == 1


def test_what_is_left_is_painted_in_or_it_is_said(photo, painting, tmp_path):
    output = tmp_path / "out.png"
    done = run("-c", PAINTS, photo, painting, "-o", output, "--size", 64, "--iterations", 10)
    assert done.returncode == 0, done.stderr
    said = "error: This host has not enough memory for even a small painting; try again later.\n"
    assert done.stderr.count(said) == 1
    assert Image.open(output).size == (64, 43)


def test_the_least_of_machine_container_and_own_limit_is_left(monkeypatch, tmp_path):
    status, meminfo, none = (tmp_path / name for name in ("status", "meminfo", "none"))
    status.write_text("Name:\tpython\nVmSize:\t  2000000 kB\n")
    for limit, left in [(resource.RLIM_INFINITY, None), (1_000_000_000, 0), (2_048_000_000 + 2**30, 2**29)]:
        monkeypatch.setattr(resource, "getrlimit", lambda _, limit=limit: (limit, limit))
        assert address_space_left(status) == left
    assert address_space_left(none) is None
    meminfo.write_text("MemTotal:       16000000 kB\nMemAvailable:    8000000 kB\nHugePages_Total:  0\n")
    for file, container, own, left in [
        (meminfo, None, None, 8_000_000 * 1024),
        (meminfo, 400, 500, 400),
        (none, 500, 400, 400),
        (none, None, None, None),
    ]:
        assert available(file, lambda found=container: found, lambda found=own: found) == left
