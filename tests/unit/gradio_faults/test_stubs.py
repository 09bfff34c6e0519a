"""Gradio is imported without what it does for editors."""

from __future__ import annotations

import inspect
import shutil
import subprocess
import sys

from conftest import ROOT
from gradio import component_meta

CODE = """
import sys
import nst.page
assert "gradio" not in sys.modules  # the decoder's processes do without
import gradio as gr
from nst.gradio_faults.inputs import Picture
assert gr.component_meta.create_or_modify_pyi(gr.HTML, "HTML", []) is None
print(Picture().select, gr.__version__)
"""


def test_no_stubs_are_written_and_components_work_all_the_same(tmp_path):
    shutil.copytree(ROOT / "nst", tmp_path / "nst", ignore=shutil.ignore_patterns("*.pyi", "__pycache__"))
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not list(tmp_path.rglob("*.pyi"))


def test_the_private_function_is_still_there():
    assert "def create_or_modify_pyi(" in inspect.getsource(component_meta)
