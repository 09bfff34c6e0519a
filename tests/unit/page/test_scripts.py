"""The page's scripts, as a linter and the browser read them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import nst.page
from nst.page import static

PAGE = Path(nst.page.__file__).parent
SCRIPTS = {file.name: file.read_text("utf-8") for file in (PAGE / "static").glob("*.js")}
PYTHON = "\n".join(file.read_text("utf-8") for file in PAGE.rglob("*.py"))
SELECTOR = re.compile(r"(?:querySelector(?:All)?|closest|find)\((['`])(.+?)\1")


def lint(folder: Path) -> None:
    command = [Path(sys.executable).with_name("oxlint"), "--deny-warnings", "."]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stdout + found.stderr


def test_a_linter_has_nothing_against_them():
    lint(PAGE / "static")


def test_nor_against_the_one_module_that_they_travel_as(tmp_path):
    """No name is given twice, and nothing was imported under another."""
    shutil.copy(PAGE / "static/.oxlintrc.json", tmp_path)
    (tmp_path / "scripts.js").write_bytes(static.scripts())
    lint(tmp_path)
    (tmp_path / "scripts.js").write_bytes(static.scripts() + b"\nexport const intake = 1;")
    with pytest.raises(AssertionError, match="already been declared"):
        lint(tmp_path)


def test_what_python_calls_is_there():
    called = set(re.findall(r'(?:on_load|call)\("(\w+)"\)', PYTHON))
    exported = set(re.findall(r"^export const (\w+)", static.scripts().decode(), re.MULTILINE))
    assert len(called) > 12
    assert called <= exported


@pytest.mark.parametrize("name", sorted(SCRIPTS.keys() - {"gradio.js"}))
def test_what_is_gradios_own_stands_in_one_of_them(name):
    text = SCRIPTS[name]
    assert not re.search(r"gradio-|gradio_|svelte|testid|/assets/|/queue/", text)
    for _, selector in SELECTOR.findall(text):
        own = re.sub(r"\$\{.*?\}", "", selector)
        for each in re.findall(r"[.#\[]([a-z][\w-]*)", own):
            assert re.search(rf"\b{each}\b", PYTHON), selector


def test_they_wait_for_events():
    assert not [name for name, text in SCRIPTS.items() if "setInterval" in text]
