"""ZeroGPU, with the real `spaces` package and a device API that is not."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from app_process import paint, running
from conftest import eventually
from gradio_client import Client
from gradio_client.exceptions import AppError
from PIL import Image

pytest.importorskip("spaces")


class DeviceAPI(BaseHTTPRequestHandler):
    """Lends a GPU to everybody, or to nobody."""

    asked: ClassVar[list[tuple[str, dict[str, list[str]]]]] = []
    verdict = "approved"

    def do_POST(self) -> None:
        place = urlsplit(self.path)
        self.asked.append((place.path, parse_qs(place.query)))
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        refused = place.path == "/schedule" and self.verdict != "approved"
        lent = {"idle": False, "nvidiaIndex": 0, "nvidiaUUID": "GPU-x", "allowToken": "tok"}
        body = json.dumps({"left": 3, "wait": "PT5M"} if refused else lent).encode()
        self.send_response(429 if refused else 200)
        self.send_header("X-Approve-Result", self.verdict)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def app(tmp_path_factory):
    api = ThreadingHTTPServer(("127.0.0.1", 0), DeviceAPI)
    threading.Thread(target=api.serve_forever, args=(0.05,), daemon=True).start()
    group = tmp_path_factory.mktemp("zero") / "cgroup"
    group.write_text("0::/kubepods/x\n")
    with running(
        script="tests/support/zero_app.py",
        SPACES_ZERO_GPU="true",
        SPACES_ZERO_DEVICE_API_URL=f"http://127.0.0.1:{api.server_port}",
        ZEROGPU_PROC_SELF_CGROUP_PATH=str(group),
        HF_HUB_OFFLINE="1",
    ) as app:
        yield app
    api.shutdown()


@pytest.fixture
def client(app):
    DeviceAPI.asked.clear()
    return Client(app.url, verbose=False)


def asked(path: str) -> list[dict[str, list[str]]]:
    return [query for place, query in DeviceAPI.asked if place == path]


def test_it_paints_in_another_process_and_hands_the_gpu_back(client):
    job = paint(client, size=128, iterations=100)
    image = Image.open(job.result(timeout=60))
    assert image.size == (128, 85)
    assert json.loads(image.info["Settings"])["iterations"] == 100
    assert len(job.outputs()) >= 2
    (query,) = asked("/schedule")
    assert 15 <= int(query["durationSeconds"][0]) <= 110
    assert eventually(lambda: asked("/release"))[0].get("fail", ["false"]) == ["false"]


def test_nothing_is_spent_on_what_cannot_be_painted_and_a_spent_quota_is_said(app, client, monkeypatch):
    for wrong in ({"size": 4095.5}, {"style_layers": "relu3_2", "encoder": "narrow"}):
        with pytest.raises(AppError):
            paint(client, **wrong).result(timeout=60)
    assert asked("/schedule") == []
    monkeypatch.setattr(DeviceAPI, "verdict", "quota-exceeded")
    with pytest.raises(AppError, match=r"\A[^<]*quota[^<]*\Z"):
        paint(client).result(timeout=60)
    assert "Traceback" not in app.log.read_text()


def test_who_leaves_hands_the_gpu_back_at_once(app, client):
    job = paint(client, size=512, iterations=1000)
    eventually(lambda: len(job.outputs()) >= 2)
    job.cancel()
    eventually(lambda: app.counts() == (0, 0) and asked("/release"))
