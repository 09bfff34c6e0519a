"""What goes wrong around the app, caused on purpose; it goes on, or says what is the matter."""

import json
import resource

import pytest
from app_process import App, paint, running
from gradio_client import Client
from gradio_client.exceptions import AppError
from strangers import Stranger
from waiting import eventually, started_with

from nst.runs.storage import NO_ROOM

NOWHERE = "/proc/nowhere"  # not even root can make a folder there
# An office whose proxies do not answer, and a notebook on a plain console.
PROXIES = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
PROXIES["all_proxy"] = "socks5://127.0.0.1:9"
PROXIES |= {name.upper(): address for name, address in PROXIES.items()}
NOTEBOOK = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "PYTHONIOENCODING": "ascii"}


def begin(app: App):
    """Return a job that paints for long, once its first frame is there."""
    job = paint(Client(app.url, verbose=False), size=256, iterations=1000)
    eventually(job.outputs)
    return job


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    """An app on the files of one that was killed, without home, cache, network, Ray or relay for a link."""
    folder = tmp_path_factory.mktemp("app")
    (folder / "sitecustomize.py").write_text("import sys; sys.modules.update(ray=None, spaces=None)")
    with running(folder=folder) as killed:
        begin(killed)
    assert list(killed.folder.rglob("run-*"))
    homes = dict.fromkeys(("HOME", "HF_HOME", "TORCH_HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR"), NOWHERE)
    with running("--share", folder=folder, PYTHONPATH=str(folder), **homes, **PROXIES, **NOTEBOOK) as app:
        yield app


def test_killed_while_it_paints_it_starts_again_clean_without_home_network_cache_or_link(app):
    assert app.counts() == (0, 0)
    # What the dead one left is gone, photos of visitors among it.
    assert not list(app.folder.rglob("run-*")) + list(app.folder.rglob("upload-*"))
    client = Client(app.url, verbose=False)
    for encoder in ("narrow", "vgg19"):
        assert paint(client, size=64, iterations=10, encoder=encoder).result(timeout=60)
    eventually(lambda: "There is no public link" in app.log.read_text(), app.log.read_text)
    assert f"up at http://127.0.0.1:{app.port}" in app.log.read_text()


def test_every_run_leaves_one_line_in_the_log(app):
    client = Client(app.url, verbose=False)

    def lines() -> list[str]:
        return [line for line in app.log.read_text().splitlines() if "nst.runs: " in line]

    before = len(lines())
    paint(client, style_weight=7.5).result(timeout=60)
    with pytest.raises(AppError):
        paint(client, style_weight=7.5, size=64, blend_1=0).result(timeout=60)
    begin(app).cancel()
    eventually(lambda: len(lines()) == before + 3, lines)
    runs = [json.loads(line.split("nst.runs: ")[1]) for line in lines()[before:]]
    assert [run["outcome"] for run in runs] == ["finished", "refused", "left"]
    assert runs[0]["settings"] == {"style_weight": 7.5, "iterations": 40, "size": 128}
    assert runs[0]["size"] == "128x85"
    assert runs[0]["optimising"] <= runs[0]["painting"] <= runs[0]["seconds"]
    for name in ("127.0.0.1", "rocket", "marbling"):
        assert name not in "".join(lines())


def test_a_full_disk_is_said_and_forgotten(app, photo, painting):
    client, limits = Client(app.url, verbose=False), resource.prlimit(app.process.pid, resource.RLIMIT_FSIZE)
    assert paint(client, photo, painting, size=64, iterations=10).result(timeout=60)
    # From now on no file of more than 60 kB can be written, as on a disk with that much left.
    resource.prlimit(app.process.pid, resource.RLIMIT_FSIZE, (60_000, limits[1]))
    with pytest.raises(AppError, match="no room left to keep pictures"):
        paint(client, photo, painting, size=256, initial="noise", iterations=10).result(timeout=60)
    assert paint(client, photo, painting, size=64, iterations=10).result(timeout=60)
    somebody = Stranger(app.url, "")
    status, answer = somebody.upload(bytes(2_000_000))
    assert (status, answer["detail"]) == (507, NO_ROOM)
    assert somebody.upload(bytes(20_000))[0] == 200
    assert app.counts() == (0, 0)
    resource.prlimit(app.process.pid, resource.RLIMIT_FSIZE, limits)


def test_an_end_is_asked_for_and_comes_within_seconds(app):
    begin(app)
    assert app.end() < 9  # a container waits for ten
    assert app.process.returncode == 0
    assert "Traceback" not in app.log.read_text()
    # No photo of a visitor's is left, only the mark that the folder is in use.
    assert {path.name for path in app.folder.rglob("*") if path.is_file()} <= {"lock"}
    # Nor, a moment later, a process that it has started.
    eventually(lambda: not started_with("GRADIO_TEMP_DIR", str(app.folder)))
