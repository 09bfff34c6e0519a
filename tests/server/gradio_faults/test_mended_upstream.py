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

from nst.gradio_faults import events, inputs
from nst.page.components import picked


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
    ],
)
def test_what_is_worked_around_is_still_in_the_code(work_around, place, text):
    assert importlib.import_module(f"nst.gradio_faults.{work_around}").__doc__.startswith("Gradio 6.31.0: ")
    assert text in inspect.getsource(place)


def test_uvicorn_cannot_be_told_what_it_may_be_told():
    assert not {"backlog", "http", "config"} & set(inspect.signature(http_server.start_server).parameters)


def test_no_stubs_are_written(tmp_path, monkeypatch):
    (tmp_path / "part.py").write_text(
        "import gradio as gr\n\n\nclass Part(gr.HTML):\n    EVENTS = ['click']\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert importlib.import_module("part").Part("text").click
    assert not list(tmp_path.glob("*.pyi"))


@pytest.mark.parametrize(
    "text", ['"og:title" content="Gradio"', 'href="/manifest.json"', "document.head.appendChild(script);"]
)
def test_the_html_is_made_for_a_demo_at_the_top_of_a_host_in_a_frame(text):
    assert text in (Path(gr.__file__).parent / "templates" / "frontend" / "index.html").read_text("utf-8")


def test_a_host_that_is_none_is_written_into_the_page():
    app = gr.mount_gradio_app(FastAPI(), gr.Blocks(), "/")
    assert "evil" in TestClient(app).get("/", headers={"X-Forwarded-Host": 'evil"><b>'}).text


def test_another_start_is_another_app_and_its_queue_looks_too_often():
    one, two = gr.Blocks(), gr.Blocks()
    assert one.app_id != two.app_id
    assert one.queue()._queue.sleep_when_free < 0.01


@pytest.mark.parametrize("sent", [None, 7, "id", ["id"]])
def test_an_event_fails_for_what_is_no_dictionary(sent):
    event = gr.EventData(None, sent)
    assert events.message(event) == {}
    assert picked(event, 3) is None
    with pytest.raises(TypeError):
        _ = event.id


def test_a_click_on_no_button_is_no_click():
    sent = [{}, *({"index": index} for index in (3, -1, "0", True, 2))]
    assert [picked(gr.EventData(None, one), 3) for one in sent] == [None] * 5 + [2]


def test_inputs_hand_on_what_was_sent():
    slider = inputs.KnobSlider(minimum=0, maximum=1)
    assert slider.preprocess("x") == "x"
    assert slider.get_block_name() == "slider"
    assert inputs.Picture().get_block_name() == "image"
    with pytest.raises(gr.Error, match=r"^(?!.*Noise)"):
        gr.Slider(0, 1, label="Noise").preprocess(7)
