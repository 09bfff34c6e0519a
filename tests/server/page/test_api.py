"""The public endpoint through Gradio's own client."""

import base64
import json
import re

import numpy as np
import pytest
from clips import made_film
from conftest import picture
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from pictures import jpeg
from PIL import Image, ImageOps
from strangers import Stranger

from nst.clips.reading import open_clip


@pytest.fixture(scope="module")
def client(url):
    return Client(url, verbose=False)


def files(folder, **values):
    """Return arguments of the endpoint; a text with a dot is the name of a file."""
    given = {name: handle_file(folder / value) for name, value in values.items() if "." in str(value)}
    return {**values, **given}


@pytest.fixture
def given(photo, painting):
    return {"photo": handle_file(photo), "style": handle_file(painting), "api_name": "/stylize"}


def test_frames_stream_and_the_last_is_a_png_of_several_styles_masks_and_a_start(client, given, tmp_path):
    photo, masks = picture(120, 80, seed=1), {}
    for name, box in (("clear", (50, 0, 70, 20)), ("keep", (0, 0, 30, 80)), ("region", (80, 0, 120, 80))):
        masks[name] = Image.new("L", photo.size)
        masks[name].paste(255, box)
        masks[name].save(tmp_path / f"{name}.png")
    kept = np.asarray(photo.resize((128, 85), Image.Resampling.BICUBIC), int)
    photo.putalpha(ImageOps.invert(masks["clear"]))
    photo.save(tmp_path / "photo.png")
    slots = files(tmp_path, style_3="photo.jpg", region_3="region.png")  # slot 2 stays empty
    pictures = files(tmp_path, photo="photo.png", keep="keep.png", start="painting.png")
    more = {"size": 128, "iterations": 30, "edge": 0, "blend_3": 0.4, "transparency": True}
    job = client.submit(**{**given, **pictures, **slots, **more})
    image = Image.open(job.result(timeout=60))
    frames = job.outputs()
    assert len(frames) >= 2
    assert Image.open(frames[0]).format == "JPEG"
    assert (image.format, image.size) == ("PNG", (128, 85))
    assert "exif" not in image.info
    settings = json.loads(image.info["Settings"])
    assert (settings["initial"], settings["transparency"]) == ("picture", True)
    assert settings["blend_2"] == 0.4  # as painted: the styles closed up
    assert image.getchannel("A").getextrema()[0] < 8
    change = np.abs(np.asarray(image.convert("RGB"), int) - kept).mean((0, 2))
    assert change[:30].max() < 3 < change[34:].mean()


def test_what_cannot_be_painted_is_refused_with_a_sentence(client, given, tmp_path):
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "photo.jpg").read_bytes()[:500])
    broken, large = files(tmp_path, style="broken.jpg"), {"size": 512}
    for more, message in ((broken, "The style picture is damaged"), (large, "This host paints up to 256 px")):
        with pytest.raises(AppError, match=message):
            client.predict(**{**given, "size": 64, "iterations": 10, **more})


def test_a_clip_becomes_a_film(client, given, tmp_path):
    made_film(tmp_path / "a.mp4", times=range(2), sound="aac")
    job = client.submit(**given | files(tmp_path, photo="a.mp4", size=64, iterations=10))
    film = open_clip(job.result(timeout=60))
    assert (film.count, film.animation) == (2, False)
    assert Image.open(job.outputs()[0]).format == "JPEG"
    # An assistant gets its address.
    clip, style = (base64.b64encode(data).decode() for data in ((tmp_path / "a.mp4").read_bytes(), jpeg()))
    photo, style = f"data:video/mp4;base64,{clip}", f"data:image/jpeg;base64,{style}"
    answer = Stranger(client.src, "").tool(photo=photo, style=style, size=64, iterations=10)
    assert re.search(r"/painting-\w+\.mp4\"", answer)
