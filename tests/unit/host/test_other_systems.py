"""What other systems refuse is taken from this Python: what fails here fails there, and no more is said."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

MACOS = """
import os, resource
taken = resource.setrlimit
def setrlimit(which, limits):
    if which == resource.RLIMIT_AS:
        raise ValueError("current limit exceeds maximum limit")
    taken(which, limits)
resource.setrlimit = setrlimit
del os.sched_getaffinity
"""
WINDOWS = """
import builtins, multiprocessing, os, signal, sys
real = builtins.__import__
def without(name, scope=None, *rest, **more):
    if name in ("fcntl", "resource", "pwd") and (scope or {}).get("__name__", "").startswith("nst"):
        raise ModuleNotFoundError(name)
    return real(name, scope, *rest, **more)
builtins.__import__ = without
for name in ("fork", "sched_getaffinity", "getuid"):
    delattr(os, name)
for name in ("SIGHUP", "alarm", "SIGALRM"):
    delattr(signal, name)
"""
DECODE = """
import asyncio, io, os, sys
import filelock
if not hasattr(os, "fork"):
    del os.O_NOFOLLOW, os.O_NONBLOCK
    filelock.FileLock = filelock.SoftFileLock
from pathlib import Path
from nst.guard import connections
from nst.runs.decoder import Decoder
from nst.runs.storage import Files
async def main():
    files = Files()
    sent = files.sent(str(files.add_upload("", "a.jpg", open(sys.argv[1], "rb"))), "The photo")
    print((await Decoder().decode(sent, "The photo", ""))[0].shape)
    files.close()
connections.bound()
asyncio.run(main())
"""


def run(
    system: str, folder: Path, *arguments: str, python: str = sys.executable, packages: str = ""
) -> subprocess.CompletedProcess[str]:
    (folder / "sitecustomize.py").write_text(system)
    path = ":".join(filter(None, (str(folder), str(ROOT), packages)))
    return subprocess.run(
        [python, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "GRADIO_TEMP_DIR": str(folder / "cache")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("system", [MACOS, WINDOWS], ids=["macOS", "Windows"])
def test_a_photo_is_read(system, tmp_path):
    photo = str(ROOT / "examples" / "photos" / "rocket.jpg")
    done = run(system, tmp_path, "-c", DECODE, photo)
    assert done.stdout.strip().startswith("("), done.stderr
    assert done.stdout.strip().endswith(", 3)"), done.stderr


def test_a_photo_is_read_where_packages_are_named_by_a_variable(tmp_path):
    photo, base = str(ROOT / "examples" / "photos" / "rocket.jpg"), getattr(sys, "_base_executable", "")
    if not base or Path(base) == Path(sys.executable):
        pytest.skip("there is no Python here without the packages")
    done = run("", tmp_path, "-c", DECODE, photo, python=base, packages=str(Path(np.__file__).parents[1]))
    assert done.stdout.strip().endswith(", 3)"), done.stderr


@pytest.mark.parametrize("system", [MACOS, WINDOWS], ids=["macOS", "Windows"])
def test_the_command_line_paints_and_expands_what_no_shell_has(system, photo, painting, tmp_path):
    (tmp_path / "out").mkdir()
    pattern = str(photo.parent / "phot?.*")
    few = ["--size", "64", "--iterations", "10"]
    done = run(system, tmp_path, "-m", "nst", pattern, "--style", str(painting), "-o", "out/", *few)
    assert done.returncode == 0, done.stderr
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["photo.png"]
