"""Pictures that one can see through in places."""

import io
from dataclasses import replace

import numpy as np
import pytest
from makers import finished
from pictures import encoded, picture
from PIL import Image

from nst.errors import InputError
from nst.image.decoding import decode
from nst.image.picture_files import encode_jpeg, encode_picture
from nst.image.timelapse import as_webp
from nst.image.transparency import pixels_on_white
from nst.painting import stylize
from nst.settings import Settings

SETTINGS = Settings(size=96, iterations=10, transparency=True)
STYLE = picture(80, 80)
# A red disc on nothing, whose invisible colour is green, with a soft edge.
ROWS, COLUMNS = np.mgrid[:64, :96]
ALPHA = (255 * (64 / 3 - np.hypot(ROWS - 32, COLUMNS - 48) + 0.5).clip(0, 1)).round().astype(np.uint8)
COLOURS = np.where(ALPHA[..., None] > 0, (220, 20, 20), (0, 255, 0)).astype(np.uint8)
CUTOUT = Image.fromarray(np.dstack([COLOURS, ALPHA]))


@pytest.fixture(scope="module")
def painted(encoder):
    return list(stylize(CUTOUT, STYLE, SETTINGS, encoder=encoder, interval=0))


def test_alpha_comes_only_where_it_is_asked_for_and_there():
    data = encoded(CUTOUT, "PNG")
    assert decode(data).shape == (64, 96, 3)
    assert np.abs(decode(data, alpha=True)[..., 3] - ALPHA / 255).max() < 1e-6
    assert decode(encoded(CUTOUT, "WEBP", lossless=True), alpha=True).shape == (64, 96, 4)
    opaque = CUTOUT.convert("RGB").convert("RGBA")
    assert decode(encoded(opaque, "PNG"), alpha=True).shape == (64, 96, 3)


def test_the_painting_is_as_transparent_as_the_photo(painted):
    assert all(frame.image.shape[2] == 4 for frame in painted)
    final = painted[-1].image
    assert np.abs(final[..., 3].astype(int) - ALPHA).max() <= 1
    # Neither the white that it might lie on nor the green that nobody sees shows at its edge.
    edge = final[(ALPHA > 0) & (ALPHA < 255)][:, :3].mean(0)
    inside = final[ALPHA == 255][:, :3].mean(0)
    for fringe in ((255, 255, 255), (0, 255, 0)):
        assert 2 * np.linalg.norm(edge - inside) < np.linalg.norm(edge - fringe)


def test_without_the_wish_it_is_painted_on_white_and_a_speck_is_not_painted_alone(encoder):
    hard = np.array(CUTOUT)
    hard[..., 3] = np.where(ALPHA > 127, 255, 0)
    settings = replace(SETTINGS, transparency=False)
    one, other = (
        finished(Image.fromarray(pixels), STYLE, settings, encoder=encoder).image
        for pixels in (hard, pixels_on_white(hard))
    )
    assert one.shape == (64, 96, 3)
    assert np.array_equal(one, other)
    hard[..., 3] = 0
    hard[0, 0, 3] = 255
    with pytest.raises(InputError, match="Keep transparency"):
        stylize(Image.fromarray(hard), STYLE, SETTINGS, encoder=encoder)


def test_an_earlier_painting_a_mask_and_the_photos_palette_go_with_it(encoder, painted):
    mask = Image.new("L", (96, 64), 0)
    mask.paste(255, (0, 0, 48, 64))
    more = {"keep": mask, "resume": Image.fromarray(painted[-1].image)}
    settings = replace(SETTINGS, colors="match-after", edge=0)
    final = finished(CUTOUT, STYLE, settings, encoder=encoder, **more).image
    assert final.shape == (64, 96, 4)
    kept = final[28:36, 30:40, :3].astype(int)
    assert np.abs(kept - (220, 20, 20)).max() < 12


def test_files_hold_alpha_as_far_as_their_format_can(painted):
    pixels = painted[-1].image
    for suffix in (".png", ".tif", ".webp"):
        with Image.open(io.BytesIO(encode_picture(pixels, suffix, {}))) as opened:
            assert opened.convert("RGBA").getchannel("A").getextrema() == (0, 255), suffix
    film = as_webp([frame.image for frame in painted])
    for data in (encode_picture(pixels, ".jpg", {}), encode_jpeg(pixels), film):
        corner = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))[0, 0]
        assert corner.min() > 250
