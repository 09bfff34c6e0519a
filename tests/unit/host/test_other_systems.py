"""What other systems refuse is taken from this Python: what fails here fails there, and no more is said."""

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
SCRIPT = """
import asyncio, os, sys
import filelock
if not hasattr(os, "fork"):
    del os.O_NOFOLLOW, os.O_NONBLOCK
    filelock.FileLock = filelock.SoftFileLock
    from nst.guard import connections
    connections.bound()
from nst.__main__ import main
from nst.runs.decoder import Decoder
from nst.runs.storage import Files
async def decode(photo):
    files = Files()
    sent = files.sent(str(files.add_upload("", "a.jpg", open(photo, "rb"))), "The photo")
    print((await Decoder().decode(sent, "The photo", ""))[0].shape, flush=True)
    files.close()
asyncio.run(decode(sys.argv.pop(1)))
sys.exit(main())
"""
# The Python that this one's packages were laid over, if it is another: it finds them by a variable only.
BASE = getattr(sys, "_base_executable", "") or sys.executable


@pytest.mark.parametrize(
    ("system", "python"), [(MACOS, BASE), (WINDOWS, sys.executable)], ids=["macOS", "Windows"]
)
def test_a_photo_is_read_and_the_command_line_paints(system, python, photo, painting, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(system)
    (tmp_path / "out").mkdir()
    folders = [tmp_path, ROOT, *([Path(np.__file__).parents[1]] if python != sys.executable else [])]
    found = {"PYTHONPATH": os.pathsep.join(map(str, folders)), "GRADIO_TEMP_DIR": str(tmp_path / "cache")}
    # No shell there expands the pattern.
    few = ["phot?.*", "--style", painting, "--size", 64, "--iterations", 10, "-o", "out/"]
    command = [python, "-c", SCRIPT, *map(str, [photo, *few])]
    how = {"cwd": tmp_path, "env": {**os.environ, **found}, "timeout": 120}
    done = subprocess.run(command, capture_output=True, text=True, **how)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("(80, 120, 3)\n"), done.stderr
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["photo.png"]
