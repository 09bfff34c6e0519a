"""Promises about the tree as a whole."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from huggingface_hub import RepoCard
from PIL import Image

TRACKED = subprocess.run(
    ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
).stdout.split()


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


# Whom each package may import, besides itself and what every one may.
EVERYBODY = {"nst", "nst.errors"}
DIRECTIONS = {
    "host": set(),
    "image": set(),
    "vgg": {"image"},
    "optimization": {"vgg", "image", "host", "nst.settings", "nst.inputs"},
    "clips": {"optimization", "vgg", "image", "host", "nst.settings", "nst.inputs", "nst.painting"},
    "lab": {"clips", "optimization", "vgg", "image", "host", "nst.settings", "nst.inputs", "nst.painting"},
    "painters": {"optimization", "vgg", "image", "host", "nst.settings", "nst.inputs", "nst.painting"},
    "runs": {"painters", "optimization", "image", "host", "nst.settings", "nst.inputs", "nst.knob"},
    "gradio_faults": set(),
    "guard": {"gradio_faults", "runs", "painters"},
    "page": {"gradio_faults", "guard", "runs", "painters", "optimization", "vgg", "image", "host"}
    | {"nst.settings", "nst.inputs", "nst.knob"},
}
# These are written without Gradio, and tested without it.
WITHOUT_GRADIO = ("host", "image", "vgg", "optimization", "clips", "lab", "painters", "runs")


def package_of(name: str) -> str:
    """Return the package below nst that a module belongs to, or the module's own name."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 and (ROOT / "nst" / parts[1]).is_dir() else name


@pytest.mark.parametrize("package", DIRECTIONS)
def test_imports_point_one_way(package):
    modules = list((ROOT / "nst" / package).rglob("*.py"))
    assert len(modules) > 3
    if package in WITHOUT_GRADIO:
        for path in modules:
            assert not [name for name in imports(path) if name.split(".")[0] == "gradio"], path.name
    allowed = DIRECTIONS[package] | EVERYBODY | {package}
    for path in modules:
        own = {name for name in imports(path) if name.split(".")[0] == "nst"}
        assert {package_of(name) for name in own} <= allowed, path.name


def test_nobody_needs_the_laboratory_and_the_method_needs_no_page():
    half = {"page", "guard", "runs", "painters", "gradio_faults"}
    for path in [ROOT / "app.py", *(ROOT / "nst").rglob("*.py")]:
        if "lab" not in path.relative_to(ROOT).parts:
            assert not [name for name in imports(path) if name.startswith("nst.lab")], path.name
    for path in (ROOT / "nst").glob("*.py"):
        assert not half & {package_of(name) for name in imports(path)}, path.name


def test_the_process_that_decodes_is_small():
    heavy = "{'torch', 'gradio', 'pandas'}"
    loaded = f"import sys, nst.runs.decode_worker; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", loaded], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_versions_agree_and_the_card_is_complete():
    card = RepoCard.load(ROOT / "README.md").data.to_dict()
    assert card["sdk"] == "gradio"
    pinned = re.search(r"^gradio\[mcp\]==(\S+)$", (ROOT / "requirements.txt").read_text(), re.M).group(1)
    assert card["sdk_version"] == pinned
    assert card["app_file"] == "app.py"
    assert len(card["short_description"]) <= 60
    for key in ("title", "emoji", "colorFrom", "colorTo", "python_version", "license", "tags"):
        assert card[key], key


def test_what_is_linked_is_there():
    for name in TRACKED:
        if name.endswith(".md"):
            for target in re.findall(r"\]\(([^)#\s]+)", (ROOT / name).read_text()):
                assert target.startswith("http") or (ROOT / name).parent.joinpath(target).exists(), (
                    name,
                    target,
                )


def test_no_large_files():
    large = {name for name in TRACKED if (ROOT / name).stat().st_size > 2_000_000}
    assert large <= {"nst/vgg/vgg19.safetensors", "nst/vgg/narrow.safetensors"}
    assert all((ROOT / name).stat().st_size < 9_900_000 for name in large)


def test_every_file_of_weights_has_its_origin_and_licence_beside_it():
    files = list((ROOT / "nst").rglob("*.safetensors"))
    assert len(files) == 2
    for file in files:
        card = file.with_suffix(".md").read_text()
        assert file.name in card
        assert "CC BY 4.0" in card
        assert "Simonyan and Zisserman" in card


def test_every_example_has_its_origin_and_licence_beside_it():
    credits = (ROOT / "examples" / "CREDITS.md").read_text()
    pictures = [path for path in (ROOT / "examples").rglob("*") if path.suffix in (".jpg", ".png")]
    assert len([p for p in pictures if p.parent.name == "photos" and max(Image.open(p).size) >= 1024]) >= 6
    assert len([p for p in pictures if p.parent.name == "styles"]) >= 6
    assert "finished/PHOTO-STYLE.jpg" in credits
    for path in pictures:
        named = [path.name]
        if path.parent.name == "finished":  # which are named by what they are made of
            named = [
                f"{folder}/{stem}.jpg"
                for folder, stem in zip(("photos", "styles"), path.stem.split("-"), strict=True)
            ]
        for name in named:
            assert name in credits, path.name


def test_requirements_bring_what_is_imported():
    wanted = (ROOT / "requirements.txt").read_text().split()
    brought = {re.split(r"[\[=<>]", line)[0].replace("-", "_") for line in wanted}
    brought |= {"PIL"} if "pillow" in brought else set()
    brought |= {
        "gradio_client",
        "numpy",
        "pandas",
        "starlette",
        "uvicorn",
        "anyio",
        "brotli",
        "filelock",
    }  # Gradio's own requirements, and huggingface-hub's
    # Only where they are there: for clips, on ZeroGPU, in a cluster, and for benchmarks.
    optional = {"cv2", "spaces", "ray", "matplotlib", "playwright"}
    for path in [ROOT / "app.py", *(ROOT / "nst").rglob("*.py")]:
        used = {name.split(".")[0] for name in imports(path)} - {"nst"} - set(sys.stdlib_module_names)
        assert used <= brought | optional, (path.name, used - brought)
    assert {
        "gradio",
        "torch",
        "PIL",
        "safetensors",
        "av",
        "huggingface_hub",
        "pillow_heif",
        "tifffile",
    } <= brought


def test_what_is_installed_has_every_package_but_the_laboratory_and_what_spaces_get():
    text = (ROOT / "pyproject.toml").read_text()
    listed = set(re.findall(r'"(nst[\w.]*)",$', text, re.M))
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "nst").rglob("*.py")}
    packages = {".".join(folder.parts) for folder in folders if "lab" not in folder.parts}
    assert listed == packages | {"nst.examples"}
    for wanted in (ROOT / "requirements.txt").read_text().split():
        assert f'"{wanted}"' in text or wanted.startswith("torch"), wanted
    for command, place in re.findall(r'^(nst[\w-]*) = "(.*)"$', text, re.M):
        module, _, function = place.partition(":")
        assert callable(getattr(importlib.import_module(module), function)), command


def test_nothing_else_stands_at_the_top():
    top = {name.split("/")[0] for name in TRACKED}
    wanted = {
        "app.py",
        "requirements.txt",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "nst",
        "examples",
        "tests",
    }
    assert {name for name in top if not name.startswith(".")} == wanted


def test_the_code_is_python_3_10_throughout():
    for name in TRACKED:
        if name.endswith(".py"):
            ast.parse((ROOT / name).read_text(), feature_version=(3, 10))
