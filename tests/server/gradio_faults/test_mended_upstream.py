"""Each fault is still there; delete the work-around whose test fails.

Those of `assets`, `sessions` and `timers` are in `test_document.py`, `test_sessions.py` and `test_page.py`.
"""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import gradio as gr
import pytest
from fastapi import FastAPI
from gradio import blocks, component_meta, http_server, processing_utils, utils
from gradio.mcp import GradioMCPServer
from starlette.testclient import TestClient

from nst.page.components import picked

INDEX = Path(gr.__file__).parent / "templates" / "frontend" / "index.html"


@pytest.mark.parametrize(
    ("work_around", "place", "text"),
    [
        ("address", http_server, 'int(os.getenv("GRADIO_SERVER_PORT"'),
        ("console", blocks, "🔨 Launching"),
        ("loopback", blocks, "resp = httpx.get("),
        ("plots", utils.MatplotlibBackendMananger, "matplotlib.get_backend()"),
        ("socks", processing_utils, "\nsync_client = httpx.Client("),
        ("stubs", component_meta, "def create_or_modify_pyi("),
        ("tools", GradioMCPServer.simplify_filedata_schema, "a http or https url"),
        ("uvicorn_settings", http_server.start_server, "uvicorn.Config("),
        ("template", INDEX, '"og:title" content="Gradio"'),
        ("template", INDEX, 'href="/manifest.json"'),
        ("template", INDEX, "document.head.appendChild(script);"),
    ],
)
def test_what_is_worked_around_is_still_in_the_code(work_around, place, text):
    assert importlib.import_module(f"nst.gradio_faults.{work_around}").__doc__.startswith("Gradio 6.31.0: ")
    assert text in (place.read_text("utf-8") if place is INDEX else inspect.getsource(place))


def test_gradio_still_does_what_is_worked_around():
    page = TestClient(gr.mount_gradio_app(FastAPI(), gr.Blocks(), "/")).get
    assert "evil" in page("/", headers={"X-Forwarded-Host": 'evil"><b>'}).text  # forwarded
    assert gr.Blocks().app_id != gr.Blocks().app_id  # restarts
    assert gr.Blocks().queue()._queue.sleep_when_free < 0.01  # pending
    named = inspect.signature(http_server.start_server).parameters
    assert not {"backlog", "http", "config"} & set(named)  # uvicorn_settings
    with pytest.raises(TypeError):  # events
        _ = gr.EventData(None, ["id"]).id
    with pytest.raises(gr.Error, match=r"^(?!.*Noise)"):  # inputs
        gr.Slider(0, 1, label="Noise").preprocess(7)


def test_no_stubs_are_written():
    with pytest.raises(FileNotFoundError):  # ours
        inspect.getfile(gr.HTML)


def test_what_is_no_dictionary_or_no_number_of_a_button_is_no_click():
    for sent in (None, 7, "id", ["id"], {}, *({"index": index} for index in (3, -1, "0", True))):
        assert picked(gr.EventData(None, sent), 3) is None
    assert picked(gr.EventData(None, {"index": 2}), 3) == 2
