"""The public endpoint through Gradio's own client."""

from __future__ import annotations

import base64
import json
import re

import numpy as np
import pytest
from clips import made_film
from conftest import picture
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from strangers import Stranger, jpeg

from nst.clips.reading import open_clip


@pytest.fixture(scope="module")
def client(url):
    return Client(url, verbose=False)


def files(folder, **values):
    """Return arguments of the endpoint; a text with a dot is the name of a file."""
    return {
        name: handle_file(folder / value) if "." in str(value) else value for name, value in values.items()
    }


@pytest.fixture
def given(photo, painting):
    return {"photo": handle_file(photo), "style": handle_file(painting), "api_name": "/stylize"}


def test_frames_stream_and_the_last_is_the_png_with_transparency_on_wish(client, given, tmp_path):
    photo = picture(120, 80)
    photo.putalpha(Image.linear_gradient("L").resize(photo.size))
    photo.save(tmp_path / "clear.png")
    more = files(tmp_path, photo="clear.png", size=96, iterations=30, style_weight=6, transparency=True)
    job = client.submit(**{**given, **more})
    image = Image.open(job.result(timeout=60))
    frames = job.outputs()
    assert len(frames) >= 2
    assert Image.open(frames[0]).format == "JPEG"
    assert image.format == "PNG"
    assert image.size == (96, 64)
    assert image.getchannel("A").getextrema()[0] < 8
    settings = json.loads(image.info["Settings"])
    assert (settings["style_weight"], settings["transparency"]) == (6, True)
    assert "exif" not in image.info


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"size": 512}, "This host paints up to 256 px"),
        ({"optimizer": "magic"}, r"Optimizer .optimizer. is one of lbfgs, adam, .*, not 'magic'"),
        ({"style": "broken.jpg"}, "The style picture is damaged"),
        ({"keep": "painting.png"}, "a mask has the photo's proportions"),
    ],
    ids=["too large", "no such choice", "broken", "another shape"],
)
def test_what_cannot_be_painted_is_refused_with_a_sentence(client, given, tmp_path, more, message):
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "photo.jpg").read_bytes()[:500])
    with pytest.raises(AppError, match=message):
        client.predict(**{**given, "size": 64, "iterations": 10, **files(tmp_path, **more)})


def test_several_styles_masks_and_a_start_at_once(client, given, photo, tmp_path):
    for name, box in (("keep", (0, 0, 30, 80)), ("region", (80, 0, 120, 80))):
        mask = Image.new("L", (120, 80))
        mask.paste(255, box)
        mask.save(tmp_path / f"{name}.png")
    pictures = files(
        tmp_path, style_3="photo.jpg", keep="keep.png", region_3="region.png", start="painting.png"
    )  # slot 2 stays empty
    final = client.predict(**given, **pictures, size=128, iterations=20, edge=0, blend_3=0.4)
    found = Image.open(final)
    settings = json.loads(found.info["Settings"])
    assert settings["initial"] == "picture"
    assert settings["blend_2"] == 0.4  # as painted: the styles closed up
    kept = Image.open(photo).convert("RGB").resize((128, 85), Image.Resampling.BICUBIC)
    change = np.abs(np.asarray(found, int) - np.asarray(kept, int)).mean((0, 2))
    assert change[:30].max() < 3 < change[34:].mean()


def test_a_clip_becomes_a_film(client, given, tmp_path):
    made_film(tmp_path / "a.mp4", times=range(4), sound="aac")
    job = client.submit(**given | files(tmp_path, photo="a.mp4", size=64, iterations=10))
    film = open_clip(job.result(timeout=60))
    assert (film.count, film.animation) == (4, False)
    assert Image.open(job.outputs()[0]).format == "JPEG"
    # An assistant gets its address.
    clip, style = (base64.b64encode(data).decode() for data in ((tmp_path / "a.mp4").read_bytes(), jpeg()))
    photo, style = f"data:video/mp4;base64,{clip}", f"data:image/jpeg;base64,{style}"
    answer = Stranger(client.src, "").tool(photo=photo, style=style, size=64, iterations=10)
    assert re.search(r"/painting-\w+\.mp4\"", answer)
