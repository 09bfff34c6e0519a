"""The page's scripts, as a linter and a slow line have them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import brotli

from nst.page import static

FOLDER = Path(static.__file__).parent


def test_a_linter_has_nothing_against_them(tmp_path):
    """Nor against the one module that they travel as: no name is given twice, or imported under another."""
    shutil.copy(FOLDER / ".oxlintrc.json", tmp_path)
    (tmp_path / "scripts.js").write_bytes(static.scripts())
    for folder in (FOLDER, tmp_path):
        command = [Path(sys.executable).with_name("oxlint"), "--deny-warnings", "."]
        found = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
        assert found.returncode == 0, found.stdout + found.stderr


def test_one_of_them_knows_gradios_own_elements_and_addresses():
    own = re.compile(r"gradio-|gradio_|svelte|testid|/assets/|/queue/|type=file")
    assert [file.name for file in FOLDER.glob("*.js") if own.search(file.read_text("utf-8"))] == ["gradio.js"]


def test_they_are_no_burden_on_a_slow_line():
    assert len(brotli.compress(static.scripts(), quality=10)) < 9_900
