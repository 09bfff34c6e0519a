"""VGG-19's layers by name: where they are, which are used, and how much each counts."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable

from nst.errors import InputError

# Channels of each convolution, "M" for pooling (Simonyan and Zisserman 2015, table 1, column E). Not taken
# from torchvision, whose import takes more than a second.
LAYOUT: tuple[int | str, ...] = (
    *(64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M"),
    *(512, 512, 512, 512, "M", 512, 512, 512, 512, "M"),
)


def _index_layers() -> dict[str, int]:
    """Return relu1_1 .. relu5_4 with their positions in torchvision's `features`."""
    positions, block, number, position = {}, 1, 1, 0
    for entry in LAYOUT:
        if entry == "M":
            block, number, position = block + 1, 1, position + 1
        else:
            positions[f"relu{block}_{number}"] = position + 1
            number, position = number + 1, position + 2
    return positions


LAYERS: dict[str, int] = _index_layers()
CONVOLUTIONS: list[int] = [position - 1 for position in LAYERS.values()]
WIDTHS: list[int] = [entry for entry in LAYOUT if isinstance(entry, int)]

# Style layers by the name of who uses them; of each list an encoder takes those that it carries.
PRESETS: dict[str, dict[str, float]] = {
    # Gatys, Ecker and Bethge (CVPR 2016), section 3.
    "gatys": {"relu1_1": 1, "relu2_1": 1, "relu3_1": 1, "relu4_1": 1, "relu5_1": 1},
    # Only what small neighbourhoods see: texture and colour without shapes.
    "low": {"relu1_1": 1, "relu1_2": 1, "relu2_1": 1},
    # crowsonkb/style-transfer-pytorch.
    "crowsonkb": {"relu1_1": 256, "relu2_1": 64, "relu3_1": 16, "relu4_1": 4, "relu5_1": 1},
}
AUTOMATIC = "auto"
# Edges and things together, of sum 1.
CONTENT: dict[str, float] = {"relu3_3": 0.5, "relu4_2": 0.5}
# The layers of large shapes.
DEEP = ("relu4_1", "relu5_1")


def default_layers(carried: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the (style, content) layers to use of those that an encoder carries.

    All of Gatys, Ecker and Bethge's where they are there (style relu1_1 .. relu5_1, content relu4_2);
    otherwise the first of each block and the deepest for style, the one before the deepest for content.
    """
    names = [name for name in LAYERS if name in set(carried)]
    style = [name for name in names if name.endswith("_1")]
    if "relu5_1" not in style and names[-1] not in style:
        style.append(names[-1])
    content = "relu4_2" if "relu4_2" in names else names[max(len(names) - 2, 0)]
    return tuple(style), (content,)


def style_weights(text: str, carried: Collection[str]) -> dict[str, float]:
    """Return how much each style layer counts, layers in the order of depth.

    Args:
        text: "auto", the name of a preset, or layers with weights as `parse_weights` reads them.
        carried: the layers that the encoder has.

    Raises:
        InputError: the text cannot be read, or it names a layer that is not carried.
    """
    if text == AUTOMATIC:
        return dict.fromkeys(default_layers(carried)[0], 1.0)
    if text in PRESETS:
        weights = {name: weight for name, weight in PRESETS[text].items() if name in carried}
    else:
        weights = parse_weights(text)
        for name in weights:
            _need(name, carried)
    return {name: weights[name] for name in LAYERS if name in weights}


def content_weights(text: str, carried: Collection[str]) -> dict[str, float]:
    """Return how much each content layer counts, of sum 1: the one named in `text`, or the automatic ones.

    Raises:
        InputError: the text names a layer that is not carried.
    """
    if text != AUTOMATIC:
        _need(text, carried)
        return {text: 1.0}
    if all(name in carried for name in CONTENT):
        return dict(CONTENT)
    return dict.fromkeys(default_layers(carried)[1], 1.0)


def _need(name: str, carried: Collection[str]) -> None:
    if name not in carried:
        raise InputError(f"The encoder here has no layer {name}; it carries {', '.join(carried)}.")


def parse_weights(text: str) -> dict[str, float]:
    """Return the weights that a text such as "relu1_1:2, relu3_1" gives; a layer without one counts 1.

    Raises:
        InputError: a name that VGG-19 does not have, a weight that is no positive number, or no layer.
    """
    weights: dict[str, float] = {}
    for part in text.replace(",", " ").split():
        name, _, number = part.partition(":")
        if name not in LAYERS:
            raise InputError(
                f"There is no layer {name[:20]!r}; name layers like relu3_1, with a weight as in relu3_1:0.5,"
                f" or one of {', '.join((AUTOMATIC, *PRESETS))}."
            )
        try:
            weight = float(number) if number else 1.0
        except ValueError:
            weight = math.nan
        if not 0 <= weight <= 1e6:
            raise InputError(f"The weight of {name} is a number from 0 to 1000000, not {number[:20]!r}.")
        if weight:
            weights[name] = weight
    if not weights:
        raise InputError("No style layer is left; name at least one with a weight above 0, such as relu3_1.")
    return weights


def described(preset: str) -> str:
    """Return a preset with its layers and weights as text for people."""
    return f"{preset}: " + ", ".join(f"{name} {weight:g}" for name, weight in PRESETS[preset].items())


def check_style_layers(text: str) -> None:
    """Refuse what `style_weights` could not read.

    Raises:
        InputError: saying what is wrong.
    """
    if text != AUTOMATIC and text not in PRESETS:
        parse_weights(text)


def check_content_layer(text: str) -> None:
    """Refuse what is no layer of VGG-19.

    Raises:
        InputError: saying what is wrong.
    """
    if text != AUTOMATIC and text not in LAYERS:
        raise InputError(f"There is no layer {text[:20]!r}; write {AUTOMATIC} or a layer such as relu4_2.")
