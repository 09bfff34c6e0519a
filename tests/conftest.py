"""What many tests share: a tiny encoder, small pictures, and what ends with the tests."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing import forkserver, util
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Before anything imports Gradio or the Hub's client: no network, no files outside the test folder.
_SCRATCH = tempfile.mkdtemp(prefix="nst-tests-")
# After multiprocessing has removed its own folder in it.
util.Finalize(None, shutil.rmtree, args=(_SCRATCH, True), exitpriority=-1000)
if "PYTEST_XDIST_WORKER" not in os.environ:  # a path no longer than a socket's may be: workers have the same
    # What failed is looked at afterwards, where pytest puts it.
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    os.environ["TMPDIR"] = _SCRATCH
    tempfile.tempdir = None  # to be found anew
os.environ.update(
    GRADIO_ANALYTICS_ENABLED="False",
    GRADIO_TEMP_DIR=str(Path(_SCRATCH) / "gradio"),
    HF_HOME=str(Path(_SCRATCH) / "hf"),
    HF_HUB_DISABLE_TELEMETRY="1",
    # Nobody here speaks TLS; a client of Gradio's would read all authorities four times a call.
    SSL_CERT_DIR=_SCRATCH,
    TORCH_HOME=str(Path(_SCRATCH) / "torch"),
)
# What the tests paint is so small that a second thread only waits, and the second core has tests of its own.
os.environ.setdefault("OMP_NUM_THREADS", "1")
for name in ("NST_WEIGHTS", "HF_HUB_CACHE", "HF_ENDPOINT", "HF_HUB_OFFLINE", "NST_MAX_SIZE", "SSL_CERT_FILE"):
    os.environ.pop(name, None)

import pytest  # noqa: E402
from pictures import picture  # noqa: E402
from waiting import eventually, started_with  # noqa: E402

import nst.page  # noqa: E402, F401 (before Gradio, which would write stubs for editors)

# The process that only hands the tests out to others waits for no torch and no Gradio.
if TYPE_CHECKING:
    import torch

    from nst.vgg.encoder import Encoder

pytest_plugins = ["visits"]

ROOT = Path(__file__).parents[1]


def tiny_convolutions(depth: int = 8, seed: int = 0) -> dict[str, torch.Tensor]:
    """Return random convolutions in VGG-19's layout, 4 to 10 channels wide."""
    import torch

    from nst.vgg.layers import CONVOLUTIONS

    generator = torch.Generator().manual_seed(seed)
    state, before = {}, 3
    for index, n in enumerate(CONVOLUTIONS[:depth]):
        width = 4 + index % 7
        state[f"features.{n}.weight"] = (
            torch.randn(width, before, 3, 3, generator=generator) * (2 / before / 9) ** 0.5
        )
        state[f"features.{n}.bias"] = torch.randn(width, generator=generator) * 0.1
        before = width
    return state


def complete(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end and return what it returns; the browser's own loop is in the main thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left() -> Iterator[None]:
    """End whatever the tests have started and not ended, and fail for it."""
    mark = os.environ["NST_TESTS"] = secrets.token_hex(8)
    yield
    # Ends with this process, but not before.
    forkserver._forkserver._stop()  # type: ignore[attr-defined]

    left = partial(started_with, "NST_TESTS", mark)
    try:
        eventually(lambda: not left(), lambda: [process.info["cmdline"] for process in left()])
    finally:
        for process in left():
            process.kill()


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Let every test draw the same numbers each time, whatever ran before it."""
    import torch

    torch.manual_seed(0)


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """A tiny random encoder up to relu3_4, float32."""
    from nst.vgg.encoder import Encoder

    return Encoder(tiny_convolutions(), name="tiny")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo on disk, 120 x 80."""
    path = tmp_path / "photo.jpg"
    picture(120, 80, seed=1).save(path, quality=95)
    return path


@pytest.fixture
def painting(tmp_path: Path) -> Path:
    """A style picture on disk, 96 x 128."""
    path = tmp_path / "painting.png"
    picture(96, 128, seed=2).save(path)
    return path


@pytest.fixture(scope="session")
def vgg_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of random weights of VGG-19's shapes down to relu5_1."""
    from makers import random_vgg
    from safetensors.torch import save_file

    path = tmp_path_factory.mktemp("weights") / "vgg.safetensors"
    save_file(random_vgg(), path)
    return path


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --full: the long forms of the attacks, the load and the faults."""
    parser.addoption("--full", action="store_true", help="attack, load and fault tests in their long form")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave out what only --full has."""
    if item.get_closest_marker("full") and not item.config.getoption("--full"):
        pytest.skip("with --full only")


# Those that take longest begin first, so that no process is left with one of them at the end.
FIRST = (
    "test_restart test_painting_part test_returning test_page test_cluster test_faults "
    "test_real test_other_browsers test_load test_decoder test_other_systems test_connections"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put those that take longest first."""
    order = FIRST.split()
    items.sort(key=lambda item: order.index(item.path.stem) if item.path.stem in order else len(order))
