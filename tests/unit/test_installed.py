"""`pip install` of the folder: a library and two commands, without the page's packages."""

import re
import shutil
import subprocess
import sys

from conftest import ROOT
from PIL import Image

# What an environment looks like in which nobody has installed Gradio.
WITHOUT_GRADIO = "import sys; sys.modules.update(gradio=None, gradio_client=None)"


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True)


def test_it_paints_as_readme_says_and_says_what_the_page_needs(photo, painting, tmp_path, monkeypatch):
    sources, installed = tmp_path / "sources", tmp_path / "installed"
    wanted = ["nst", "examples", "pyproject.toml", "README.md", "LICENSE"]
    for name in subprocess.check_output(["git", "ls-files", *wanted], cwd=ROOT, text=True).split():
        (sources / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, sources / name)
    pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    done = run(*pip, "--target", installed, sources)
    assert done.returncode == 0, done.stderr
    # What is not for users stays with the sources.
    assert not (installed / "nst" / "lab").exists()
    assert not [path for path in installed.rglob("*") if "tests" in path.relative_to(installed).parts]
    assert (installed / "nst" / "examples" / "CREDITS.md").is_file()

    (installed / "sitecustomize.py").write_text(WITHOUT_GRADIO)
    monkeypatch.setenv("PYTHONPATH", str(installed))
    monkeypatch.chdir(tmp_path)
    Image.open(painting).save("painting.jpg")
    (code,) = re.findall(r"```python\n(.*?encode_png.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    code = code.replace("style_weight=7", "style_weight=7, size=64, iterations=10")
    done = run("-c", code + "\nimport nst, sys\nprint(nst.__file__, 'nst.page' in sys.modules)")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [str(installed / "nst" / "__init__.py"), "False"]
    assert Image.open("out.png").size == (64, 43)
    few = ["--size", 80, "--iterations", 10, "-v", "--force"]
    done = run(installed / "bin" / "nst", photo, painting, "-o", "out.png", *few)
    assert done.returncode == 0, done.stderr
    assert "weights: narrow.safetensors of the package" in done.stderr
    assert Image.open("out.png").size == (80, 53)
    done = run(installed / "bin" / "nst-page")
    assert done.returncode == 2
    assert done.stderr == 'error: This needs gradio; install it with: pip install ".[page]"\n'
