"""The public endpoint through Gradio's own client."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest
from conftest import picture
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from served import LIMITS, serve
from waiting import eventually

from nst.settings import KNOBS


@pytest.fixture(scope="module")
def client():
    with serve() as url:
        yield Client(url, verbose=False)


def test_the_endpoint_has_every_public_knob_with_its_default(client):
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    assert list(endpoints) == ["/stylize"]
    parameters = {p["parameter_name"]: p for p in endpoints["/stylize"]["parameters"]}
    public = [name for name, knob in KNOBS.items() if not knob.local]
    styles = [f"style_{n}" for n in (2, 3, 4)]
    masks = [f"{kind}_{n}" for kind in ("region", "style_mask") for n in (1, 2, 3, 4)]
    assert sorted(parameters) == sorted(
        ["photo", "style", *public, *styles, "keep", *masks, "start", "resume"]
    )
    for name in (*styles, "keep", *masks, "start", "resume"):
        assert parameters[name]["parameter_default"] is None
    for name in public:
        assert parameters[name]["parameter_has_default"]
        # This host paints up to 256 px, less than the default size.
        assert parameters[name]["parameter_default"] == (256 if name == "size" else KNOBS[name].default)
    assert not parameters["photo"]["parameter_has_default"]


def test_frames_stream_and_the_last_is_the_png(client, photo, painting):
    job = client.submit(
        handle_file(photo),
        handle_file(painting),
        size=128,
        iterations=60,
        style_weight=6,
        api_name="/stylize",
    )
    final = job.result(timeout=60)
    frames = job.outputs()
    assert len(frames) >= 2
    image = Image.open(final)
    assert image.format == "PNG"
    assert image.size == (128, 85)
    assert json.loads(image.info["Settings"])["style_weight"] == 6
    assert "exif" not in image.info
    assert Image.open(frames[0]).format == "JPEG"


def test_transparency_comes_back_on_wish(client, painting, tmp_path):
    photo = picture(120, 80)
    photo.putalpha(Image.linear_gradient("L").resize(photo.size))
    photo.save(tmp_path / "clear.png")
    given = handle_file(tmp_path / "clear.png"), handle_file(painting)
    final = client.predict(*given, size=64, iterations=20, transparency=True, api_name="/stylize")
    image = Image.open(final)
    assert image.getchannel("A").getextrema()[0] < 8
    assert json.loads(image.info["Settings"])["transparency"] is True


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"size": 512}, "This host paints up to 256 px"),
        (
            {"optimizer": "magic"},
            "Optimizer .optimizer. is one of lbfgs, adam, gradient-descent, not 'magic'",
        ),
        ({"coarse_to_fine": "yes"}, "true or false"),
    ],
)
def test_bad_settings_are_refused_with_a_sentence(client, photo, painting, more, message):
    with pytest.raises(AppError, match=message):
        client.predict(handle_file(photo), handle_file(painting), api_name="/stylize", **more)


def test_bad_pictures_are_refused_with_a_sentence(client, photo, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(photo.read_bytes()[:500])
    with pytest.raises(AppError, match="The style picture is damaged"):
        client.predict(handle_file(photo), handle_file(broken), size=64, iterations=10, api_name="/stylize")
    drawing = tmp_path / "drawing.svg"
    drawing.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"/>')
    with pytest.raises(AppError, match="SVG drawing"):
        client.predict(handle_file(drawing), handle_file(photo), size=64, iterations=10, api_name="/stylize")
    with pytest.raises(AppError, match="Add a photo first"):
        client.predict(None, handle_file(photo), size=64, iterations=10, api_name="/stylize")


def test_several_styles_masks_and_a_start_at_once(client, photo, painting, tmp_path):
    keep, region = (Image.new("L", (120, 80)) for _ in range(2))
    keep.paste(255, (0, 0, 30, 80))
    region.paste(255, (80, 0, 120, 80))
    for name, mask in (("keep", keep), ("region", region)):
        mask.save(tmp_path / f"{name}.png")
    final = client.predict(
        handle_file(photo),
        handle_file(painting),
        style_3=handle_file(photo),  # slot 2 stays empty
        keep=handle_file(tmp_path / "keep.png"),
        region_3=handle_file(tmp_path / "region.png"),
        start=handle_file(painting),
        size=128,
        iterations=20,
        edge=0,
        blend_3=0.4,
        api_name="/stylize",
    )
    found = Image.open(final)
    settings = json.loads(found.info["Settings"])
    assert settings["initial"] == "picture"
    assert settings["blend_2"] == 0.4  # as painted: the styles closed up
    kept = Image.open(photo).convert("RGB").resize((128, 85), Image.Resampling.BICUBIC)
    change = np.abs(np.asarray(found, int) - np.asarray(kept, int)).mean((0, 2))
    assert change[:30].max() < 3 < change[34:].mean()


def test_masks_that_cannot_be_used_are_a_sentence(client, photo, painting):
    files = handle_file(photo), handle_file(painting)
    with pytest.raises(AppError, match="Style 2 has a region but no picture"):
        client.predict(*files, region_2=handle_file(photo), size=64, api_name="/stylize")
    with pytest.raises(AppError, match="a mask has the photo's proportions"):
        client.predict(*files, keep=handle_file(painting), size=64, api_name="/stylize")
    with pytest.raises(AppError, match="no layer 'conv9'"):
        client.predict(*files, style_layers="conv9", size=64, api_name="/stylize")


@pytest.mark.usefixtures("unhurried")
def test_cancelling_frees_the_painter(client, photo, painting):
    files = handle_file(photo), handle_file(painting)
    long = client.submit(*files, size=64, iterations=1000, api_name="/stylize")
    eventually(long.outputs)
    long.cancel()
    began = time.monotonic()
    client.predict(*files, size=64, iterations=10, api_name="/stylize")
    assert time.monotonic() - began < LIMITS.seconds * 0.7  # for which the first one would go on
