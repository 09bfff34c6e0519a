"""The page's scripts, as a linter and the browser read them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import brotli
import pytest

import nst.page
from nst.page import static

PAGE = Path(nst.page.__file__).parent
SCRIPTS = {file.name: file.read_text("utf-8") for file in (PAGE / "static").glob("*.js")}
OURS = "\n".join(file.read_text("utf-8") for kind in ("py", "html") for file in PAGE.rglob(f"*.{kind}"))
# What a script looks for, what it makes itself, and what tells Gradio's parts and addresses.
SELECTOR = re.compile(r"(?:querySelector(?:All)?|closest|find)\((['`])(.+?)\1")
CLASS = re.compile(r"classList\.contains\('([\w-]+)'")
MADE = re.compile(r"(?:className: |classList\.(?:add|toggle)\()'([\w-]+)'")
GRADIOS = re.compile(r"gradio-|gradio_|svelte|testid|/assets/|/queue/|type=file")


@pytest.mark.parametrize("one_module", [False, True])
def test_a_linter_has_nothing_against_them(one_module, tmp_path):
    """Nor against the one module that they travel as: no name is given twice, or imported under another."""
    folder = PAGE / "static"
    if one_module:
        shutil.copy(folder / ".oxlintrc.json", tmp_path)
        (tmp_path / "scripts.js").write_bytes(static.scripts())
        folder = tmp_path
    command = [Path(sys.executable).with_name("oxlint"), "--deny-warnings", "."]
    found = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert found.returncode == 0, found.stdout + found.stderr


def not_ours(text: str) -> list[str]:
    """Return what a script names that is neither in our own HTML nor made by the script."""
    made = set(MADE.findall(text))
    selectors = [f".{name}" for name in CLASS.findall(text)]
    selectors += [re.sub(r"\$\{.*?\}", "*", selector) for _, selector in SELECTOR.findall(text)]
    found = GRADIOS.findall(text)
    for selector in selectors:
        names = re.findall(r"[.#\[]([a-z][\w-]*)", selector) + re.findall(r"=\"([^\"]+)\"", selector)
        known = all(name in made or re.search(rf"\b{name}\b", OURS) for name in names)
        if not known or re.search(r"\* [a-z]", selector):  # within a card, all is Gradio's
            found.append(selector)
    return found


def test_what_is_gradios_own_stands_in_one_of_them():
    assert [name for name, text in SCRIPTS.items() if not_ours(text)] == ["gradio.js"]


def test_they_are_no_burden_on_a_slow_line():
    assert len(brotli.compress(static.scripts(), quality=10)) < 9_900
