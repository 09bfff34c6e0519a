"""Every knob of a painting: its name, default, range and help text, once."""

from __future__ import annotations

import contextlib
import difflib
import json
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from nst.errors import InputError
from nst.knob import Knob, shown
from nst.vgg.layers import LAYERS, PRESETS, check_content_layer, check_style_layers, described

MOST_STYLES = 4


def knob(default: Any, label: str, help: str, **more: Any) -> Any:
    """Declare one field of `Settings`."""
    return field(default=default, metadata={"label": label, "help": help, **more})


def share(number: int, which: str) -> Any:
    """Declare how much of one of the styles is wanted."""
    return knob(
        1.0,
        f"Share of style {number}",
        f"How much of the {which} style.",
        low=0.0,
        high=1.0,
        step=0.05,
        live=True,
    )


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to paint. Immutable and always valid.

    Raises:
        InputError: a value is of the wrong type, not finite or out of range; the message names the
            knob and its range.
    """

    content_weight: float = knob(
        5.0,
        "Content weight",
        "Higher stays closer to your photo.",
        low=0.0,
        high=10.0,
        step=0.1,
        live=True,
    )
    style_weight: float = knob(
        5.0,
        "Style weight",
        "Higher looks more like the painting.",
        low=0.0,
        high=10.0,
        step=0.1,
        live=True,
    )
    large_shapes: float = knob(
        5.0,
        "Large shapes",
        "How much of the style's big swirls and waves to use; 0 keeps only its brushwork.",
        low=0.0,
        high=10.0,
        step=0.1,
        live=True,
    )
    subject: float = knob(
        0.0,
        "Subject of the painting",
        "How much of what the style picture shows, such as a face, may appear; 0 is only how it is painted.",
        low=0.0,
        high=10.0,
        step=0.1,
        live=True,
    )
    iterations: int = knob(
        80,
        "Iterations",
        "More steps: finer, but slower.",
        low=10,
        high=1000,
        step=10,
    )
    size: int = knob(
        512,
        "Size",
        "Longest side in pixels; twice the size takes about four times as long.",
        low=64,
        high=4096,
        step=32,
    )
    smoothness: float = knob(
        5.0,
        "Smoothness",
        "Higher is smoother (total variation); 0 keeps all grain.",
        low=0.0,
        high=10.0,
        step=0.1,
        live=True,
    )
    coarse_to_fine: bool = knob(
        True,
        "Coarse to fine",
        "Paint big strokes first, then detail: faster, and richer.",
    )
    colors: str = knob(
        "style",
        "Colours from",
        "Whose colours the painting uses.",
        choices={
            "style": "The painting",
            "luminance": "Photo's colours exactly",
            "match-before": "Painting's strokes in the photo's colours",
            "match-after": "Finished painting, shifted to the photo's colours",
        },
    )
    style_scale: float = knob(
        1.0,
        "Stroke size",
        "2 makes the strokes twice as large, 0.5 half.",
        low=0.5,
        high=2.0,
        step=0.05,
    )
    transparency: bool = knob(
        False,
        "Keep transparency",
        "Keep transparent parts transparent (otherwise white).",
    )
    trim_border: bool = knob(
        True,
        "Trim borders",
        "Ignore a plain border around the style picture, such as white paper.",
    )
    blend_1: float = share(1, "first")
    blend_2: float = share(2, "second")
    blend_3: float = share(3, "third")
    blend_4: float = share(4, "fourth")
    edge: float = knob(
        2.0,
        "Soft edge",
        "How softly areas blend, in percent of the longest side.",
        low=0.0,
        high=10.0,
        step=0.5,
    )
    initial: str = knob(
        "content",
        "Start from",
        "What is on the canvas at the beginning.",
        choices={
            "content": "The photo",
            "style": "The style picture",
            "noise": "Noise",
            "picture": "A picture of your own",
        },
    )
    initial_noise: float = knob(
        0.0,
        "Added noise",
        "How much noise to mix in at the beginning: 0 none, 1 only noise.",
        low=0.0,
        high=1.0,
        step=0.05,
    )
    seed: int = knob(
        0,
        "Seed",
        "The same seed and settings give the same picture on the same machine.",
        low=0,
        high=2**32 - 1,
        step=1,
    )
    encoder: str = knob(
        "auto",
        "Encoder",
        "The network that compares the pictures: VGG-19 sees most and takes longest; automatic is"
        " what suits this server.",
        choices={
            "auto": "Automatic",
            "narrow": "Narrow network (fast)",
            "refined": "Narrow network, finished by VGG-19",
            "vgg19": "Full VGG-19",
        },
        former={"layout": "auto", "builtin": "narrow"},
    )
    optimizer: str = knob(
        "lbfgs",
        "Optimizer",
        "How the pixels are improved; L-BFGS gets furthest in the same time.",
        choices={"lbfgs": "L-BFGS", "adam": "Adam", "gradient-descent": "Gradient descent"},
    )
    style_loss: str = knob(
        "gaussian",
        "Style loss",
        "What is matched of each layer; means and covariances give longer, calmer strokes.",
        choices={"gaussian": "Means and covariances", "gram": "Gram matrices (Gatys)"},
        former={"normal": "gaussian"},
    )
    style_layers: str = knob(
        "auto",
        "Style layers",
        "Layers that compare the style: one of auto, gatys, low, crowsonkb, or your own with weights, such as"
        " relu1_1:2, relu3_1:0.5.",
        suggestions={"auto": "Automatic", **{name: described(name) for name in PRESETS}},
        refuse=check_style_layers,
    )
    content_layer: str = knob(
        "auto",
        "Content layer",
        "Layer that compares the photo: auto, or one such as relu2_1; early layers keep more detail.",
        suggestions={"auto": "Automatic", **{name: name for name in LAYERS}},
        refuse=check_content_layer,
    )
    pooling: str = knob(
        "max",
        "Pooling",
        "How the network scales down; average is softer, maximum crisper.",
        choices={"max": "Maximum", "average": "Average"},
    )
    time_limit: float = knob(
        900.0,
        "Time limit",
        "Seconds after which painting stops and keeps what it has.",
        low=1.0,
        high=86400.0,
        step=1.0,
        local=True,
    )
    device: str = knob(
        "",
        "Device",
        "What computes: auto, cpu, cuda, cuda:1 or mps (Apple's, untried); NST_DEVICE names the default.",
        local=True,
    )
    weights: str = knob(
        "",
        "Weights file",
        "Other weights of VGG-19: a file (safetensors or a state dict), a repository on the Hugging Face Hub,"
        " or torchvision.",
        local=True,
    )

    def __post_init__(self) -> None:
        for item in KNOBS.values():
            object.__setattr__(self, item.name, item.check(getattr(self, item.name)))

    @property
    def blend(self) -> tuple[float, ...]:
        """How much of each style is wanted, in the order of the styles."""
        return (self.blend_1, self.blend_2, self.blend_3, self.blend_4)

    def steered(self, wanted: Settings) -> Settings:
        """Return these settings with the knobs of `wanted` that may change while painting."""
        live = {name: getattr(wanted, name) for name, knob in KNOBS.items() if knob.live}
        return replace(self, **live)

    def to_json(self) -> str:
        """Return all knobs as a JSON object."""
        return json.dumps(asdict(self))

    def public(self) -> dict[str, Any]:
        """Return the knobs that may leave this machine: those that name no file or limit of it."""
        return {name: value for name, value in asdict(self).items() if not KNOBS[name].local}

    @classmethod
    def acceptable(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Return the entries of `values` that are public knobs with valid values."""
        accepted = {}
        for name, knob in KNOBS.items():
            if name in values and not knob.local:
                with contextlib.suppress(InputError):
                    accepted[name] = knob.check(values[name])
        return accepted

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """Return the settings that `to_json` wrote; knobs that are missing take their defaults.

        Raises:
            InputError: not a JSON object, an unknown knob, or a value that its knob refuses.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError("The settings are not valid JSON; write them as one object of knobs.") from error
        if not isinstance(values, dict):
            raise InputError('The settings are not a JSON object; write them like {"style_weight": 7}.')
        return cls.from_dict(values)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Settings:
        """Return settings from knob names and values.

        Raises:
            InputError: an unknown knob, or a value that its knob refuses.
        """
        for name in values:
            if name not in KNOBS:
                near = difflib.get_close_matches(name, KNOBS, n=1)
                hint = f"did you mean {near[0]}?" if near else f"known ones are {', '.join(KNOBS)}."
                raise InputError(f"There is no setting {shown(name)}; {hint}")
        return cls(**values)


_KINDS = {"float": float, "int": int, "bool": bool, "str": str}
KNOBS: dict[str, Knob] = {
    f.name: Knob(name=f.name, kind=_KINDS[str(f.type)], default=f.default, **f.metadata)
    for f in fields(Settings)
}
