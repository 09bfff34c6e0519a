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
    called = set(re.findall(r'(?:on_load|call)\("(\w+)"\)', OURS))
    exported = set(re.findall(r"^export const (\w+)", static.scripts().decode(), re.MULTILINE))
    assert len(called) > 12
    assert called <= exported


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


@pytest.mark.parametrize("name", sorted(SCRIPTS.keys() - {"gradio.js"}))
def test_what_is_gradios_own_stands_in_one_of_them(name):
    assert not_ours(SCRIPTS["gradio.js"])
    assert not_ours(SCRIPTS[name]) == []


def test_they_wait_for_events():
    assert not [name for name, text in SCRIPTS.items() if "setInterval" in text]


def test_they_are_no_burden_on_a_slow_line():
    assert len(brotli.compress(static.scripts(), quality=10)) < 9_900
