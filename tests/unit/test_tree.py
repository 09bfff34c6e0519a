"""Promises about the tree as a whole."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from huggingface_hub import RepoCard

TRACKED = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).split()
REQUIREMENTS = (ROOT / "requirements.txt").read_text().split()


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
METHOD = {"optimization", "vgg", "image", "host", "nst.settings", "nst.inputs"}
DIRECTIONS = {
    "host": set(),
    "image": set(),
    "vgg": {"image"},
    "optimization": METHOD,
    "clips": METHOD | {"nst.painting"},
    "lab": METHOD | {"clips", "nst.painting"},
    "painters": METHOD | {"clips", "nst.painting"},
    "runs": METHOD - {"vgg"} | {"clips", "painters", "nst.knob"},
    "gradio_faults": set(),
    "guard": {"gradio_faults", "runs", "painters"},
    "page": METHOD | {"clips", "gradio_faults", "guard", "runs", "painters", "nst.knob"},
}
# These are written with Gradio; the others without it, and tested without it.
WITH_GRADIO = {"gradio_faults", "guard", "page"}


def packages(path: Path) -> set[str]:
    """Return the packages below nst from which a module imports, and by their whole names other modules."""
    found = set()
    for name in imports(path):
        top, _, rest = name.partition(".")
        if top == "nst":
            package = rest.split(".")[0]
            found.add(package if package and (ROOT / "nst" / package).is_dir() else name)
    return found


@pytest.mark.parametrize("package", DIRECTIONS)
def test_imports_point_one_way(package):
    modules = list((ROOT / "nst" / package).rglob("*.py"))
    assert len(modules) > 3
    for path in modules:
        assert packages(path) <= DIRECTIONS[package] | EVERYBODY | {package}, path.name
        if package not in WITH_GRADIO:
            assert "gradio" not in {name.split(".")[0] for name in imports(path)}, path.name


def test_nobody_needs_the_laboratory_and_the_method_needs_no_page():
    for path in (ROOT / "nst").glob("*.py"):
        assert not (WITH_GRADIO | {"lab", "runs", "painters"}) & packages(path), path.name


def test_the_process_that_decodes_is_small():
    loaded = "import sys, nst.runs.decode_worker; print({'torch', 'gradio', 'pandas'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", loaded], cwd=ROOT, text=True) == "set()\n"


def test_a_space_takes_the_tree_as_it_is():
    card = RepoCard.load(ROOT / "README.md").data.to_dict()
    assert (card["sdk"], card["app_file"]) == ("gradio", "app.py")
    assert f"gradio[mcp]=={card['sdk_version']}" in REQUIREMENTS
    assert len(card["short_description"]) <= 60
    assert all((ROOT / name).stat().st_size < 9_900_000 for name in TRACKED)  # more needs Git LFS


def test_what_is_linked_is_there():
    for page in [ROOT / name for name in TRACKED if name.endswith(".md")]:
        targets = re.findall(r"\]\(([^)#\s]+)", page.read_text())
        missing = [each for each in targets if not (page.parent / each).exists()]
        assert not [each for each in missing if not each.startswith("http")], page


def test_all_weights_and_examples_have_their_origin_and_licence_beside_them():
    for file in (ROOT / "nst").rglob("*.safetensors"):
        card = file.with_suffix(".md").read_text()
        for wanted in (file.name, "CC BY 4.0", "Simonyan and Zisserman"):
            assert wanted in card
    credits = (ROOT / "examples" / "CREDITS.md").read_text()
    assert "finished/PHOTO-STYLE.jpg" in credits  # which are named by what they are made of
    for path in (ROOT / "examples").rglob("*"):
        if path.suffix in (".jpg", ".png") and path.parent.name != "finished":
            assert path.name in credits, path.name


# Gradio's own requirements, and huggingface-hub's.
BROUGHT = {"gradio_client", "numpy", "pandas", "starlette", "uvicorn", "anyio", "brotli", "filelock"}
# Only where they are there: for clips, on ZeroGPU, in a cluster, and for benchmarks.
OPTIONAL = {"cv2", "spaces", "ray", "matplotlib", "playwright", "psutil"}


def test_requirements_bring_what_is_imported():
    required = {re.split(r"[\[=<>]", line)[0].replace("-", "_") for line in REQUIREMENTS}
    required = {"PIL" if name == "pillow" else name for name in required}
    used = set()
    for path in [ROOT / "app.py", *(ROOT / "nst").rglob("*.py")]:
        used |= {name.split(".")[0] for name in imports(path)}
    used -= {"nst", "__future__"} | set(sys.stdlib_module_names)
    assert used <= required | BROUGHT | OPTIONAL


def test_what_is_installed_has_every_package_but_the_laboratory_and_what_spaces_get():
    text = (ROOT / "pyproject.toml").read_text()
    listed = set(re.findall(r'"(nst[\w.]*)",$', text, re.M))
    folders = {path.parent.relative_to(ROOT) for path in (ROOT / "nst").rglob("*.py")}
    assert listed == {".".join(folder.parts) for folder in folders if "lab" not in folder.parts} | {
        "nst.examples"
    }
    for wanted in REQUIREMENTS:
        assert f'"{wanted}"' in text or wanted.startswith("torch"), wanted
