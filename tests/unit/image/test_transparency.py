"""Pictures that one can see through in places."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import picture
from corpus import encoded
from makers import finished
from PIL import Image

from nst.errors import InputError
from nst.image.decoding import decode
from nst.image.picture_files import encode_jpeg, encode_picture
from nst.image.timelapse import as_webp
from nst.image.transparency import continued, on_white, pixels_on_white
from nst.inputs import Inputs
from nst.optimization.working_pictures import WorkingPictures
from nst.painting import stylize
from nst.settings import Settings

SETTINGS = Settings(size=96, iterations=10, transparency=True)


def cutout(width: int = 96, height: int = 64) -> Image.Image:
    """Return a red disc on nothing, whose invisible colour is green, with a soft edge."""
    rows, columns = np.mgrid[:height, :width]
    away = np.hypot(rows - height / 2, columns - width / 2)
    alpha = (255 * (height / 3 - away + 0.5).clip(0, 1)).round().astype(np.uint8)
    pixels = np.where(alpha[..., None] > 0, (220, 20, 20), (0, 255, 0)).astype(np.uint8)
    return Image.fromarray(np.dstack([pixels, alpha]))


@pytest.fixture(scope="module")
def painted(encoder):
    return list(stylize(cutout(), picture(80, 80), SETTINGS, encoder=encoder, interval=0))


def test_alpha_comes_only_where_it_is_asked_for_and_there():
    data = encoded(cutout(), "PNG")
    assert decode(data).shape == (64, 96, 3)
    assert np.abs(decode(data, alpha=True)[..., 3] - np.asarray(cutout())[..., 3] / 255).max() < 1e-6
    assert decode(encoded(cutout(), "WEBP", lossless=True), alpha=True).shape == (64, 96, 4)
    opaque = cutout().convert("RGB").convert("RGBA")
    assert decode(encoded(opaque, "PNG"), alpha=True).shape == (64, 96, 3)


def test_colours_go_on_behind_what_is_transparent_and_what_nobody_sees_counts_for_nothing():
    given = torch.from_numpy(decode(encoded(cutout(), "PNG"), alpha=True)).permute(2, 0, 1)[None]
    red = torch.tensor([220.0, 20, 20]).view(1, 3, 1, 1) / 255
    assert (continued(given) - red).abs().max() < 0.01
    assert torch.equal(continued(given[:, :3]), given[:, :3])
    nothing = given * torch.tensor([1.0, 1, 1, 0]).view(1, 4, 1, 1)
    assert (continued(nothing) == 1).all()
    assert (on_white(nothing) == 1).all()
    for size in ((1, 1), (17, 1), (31, 64)):
        opaque = torch.cat([torch.rand(1, 3, *size), torch.ones(1, 1, *size)], 1)
        assert torch.allclose(continued(opaque), opaque[:, :3])


def test_the_painting_is_as_transparent_as_the_photo(painted):
    assert all(frame.image.shape[2] == 4 for frame in painted)
    final = painted[-1].image
    alpha = np.asarray(cutout())[..., 3]
    assert np.abs(final[..., 3].astype(int) - alpha).max() <= 1
    # Neither the white that it might lie on nor the green that nobody sees shows at its edge.
    edge = final[(alpha > 0) & (alpha < 255)][:, :3].mean(0)
    inside = final[alpha == 255][:, :3].mean(0)
    for fringe in ((255, 255, 255), (0, 255, 0)):
        assert 2 * np.linalg.norm(edge - inside) < np.linalg.norm(edge - fringe)


def test_without_the_wish_it_is_painted_on_white(encoder):
    hard = np.array(cutout())
    hard[..., 3] = np.where(hard[..., 3] > 127, 255, 0)
    photos = Image.fromarray(hard), Image.fromarray(pixels_on_white(hard))
    settings = replace(SETTINGS, transparency=False)
    one, other = (finished(each, picture(80, 80), settings, encoder=encoder) for each in photos)
    assert one.image.shape == (64, 96, 3)
    assert np.array_equal(one.image, other.image)


def test_what_nobody_sees_has_no_part_in_the_statistics():
    alpha = torch.zeros(1, 1, 64, 96)
    alpha[..., 24:40, 40:56] = 1
    inputs = Inputs(torch.rand(1, 3, 64, 96), (torch.rand(1, 3, 80, 80),))
    regions = WorkingPictures(inputs, SETTINGS, alpha).regions
    assert [torch.equal(region.mask, alpha) for region in regions] == [True]
    with pytest.raises(InputError, match="Keep transparency"):
        WorkingPictures(inputs, SETTINGS, torch.zeros(1, 1, 64, 96))


def test_an_earlier_painting_a_mask_and_the_photos_palette_go_with_it(encoder, painted):
    mask = Image.new("L", (96, 64), 0)
    mask.paste(255, (0, 0, 48, 64))
    more = {"keep": mask, "resume": Image.fromarray(painted[-1].image)}
    settings = replace(SETTINGS, colors="match-after", edge=0)
    final = finished(cutout(), picture(80, 80), settings, encoder=encoder, **more).image
    assert final.shape == (64, 96, 4)
    kept = final[28:36, 30:40, :3].astype(int)
    assert np.abs(kept - (220, 20, 20)).max() < 12


def test_files_hold_alpha_as_far_as_their_format_can(painted):
    pixels = painted[-1].image
    for suffix in (".png", ".tif", ".webp"):
        with Image.open(io.BytesIO(encode_picture(pixels, suffix, {}))) as opened:
            assert opened.convert("RGBA").getchannel("A").getextrema() == (0, 255), suffix
    for data in (encode_picture(pixels, ".jpg", {}), encode_jpeg(pixels)):
        corner = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))[0, 0]
        assert corner.min() > 250
    film = Image.open(io.BytesIO(as_webp([frame.image for frame in painted])))
    assert np.asarray(film.convert("RGB"))[0, 0].min() > 250
