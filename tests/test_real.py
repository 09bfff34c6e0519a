"""With the real VGG-19 convolutions, where they lie beside the project."""

from __future__ import annotations

from conftest import ROOT

from nst import Settings, load_image, stylize
from nst.images import resize, to_pixels
from nst.quality import Yardstick
from nst.weights import find_vgg19, load_encoders

PHOTO = ROOT / "examples" / "photos" / "coffee.jpg"
STYLE = ROOT / "examples" / "styles" / "night_current.jpg"


def paint_and_measure(settings: Settings, file: str) -> tuple[float, float, float]:
    """Return the residual of the photo itself, and residual and content distance of the painting."""
    yardstick = Yardstick(find_vgg19(file))
    # Small: the yardstick looks at double the size too, which would take most of the time.
    photo, style = resize(load_image(PHOTO), (128, 85)).clamp(0, 1), load_image(STYLE)
    *_, frame = stylize(photo, style, settings, encoder=load_encoders(settings))
    score = yardstick.measure(frame.image, photo, style)
    return yardstick.measure(to_pixels(photo), photo, style).residual, score.residual, score.content


def test_the_built_in_encoder_paints_what_vgg19_sees_as_the_style(vgg_file):
    before, residual, content = paint_and_measure(
        Settings(size=128, iterations=60, encoder="builtin"), str(vgg_file)
    )
    assert residual < 0.02
    assert residual < before / 20
    assert content < 1


def test_vgg19_itself(vgg_file):
    settings = Settings(size=128, iterations=50, weights=str(vgg_file))
    assert load_encoders(settings)[-1].style_layers == ("relu1_1", "relu2_1", "relu3_1", "relu3_4")
    before, residual, content = paint_and_measure(settings, str(vgg_file))
    assert residual < 0.02
    assert residual < before / 20
    assert content < 1
