"""`stylize`: a photo and one or more styles in, frames of the painting out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, Union

import numpy as np
from PIL import Image
from torch import Tensor

from nst.errors import InputError, NoRoomError
from nst.host.device import pick_device
from nst.host.torch_state import each_in_own_state, own_state
from nst.image.arrays import from_array
from nst.image.border import without_border
from nst.image.masks import prepare, taken_from
from nst.image.picture_files import load_image
from nst.image.transparency import continued, on_white
from nst.inputs import Inputs, Role
from nst.optimization.encoders import encoder_choice, load_encoders
from nst.optimization.frames import Frame
from nst.optimization.loop import Controls, Optimization
from nst.optimization.memory_plan import TOO_LITTLE_MEMORY, is_out_of_memory
from nst.optimization.pyramid import plan
from nst.optimization.working_pictures import WorkingPictures
from nst.settings import MOST_STYLES, Settings
from nst.vgg.encoder import Encoder
from nst.vgg.layers import content_weights, style_weights

# A runtime alias, on 3.10 too.
Picture = Union[str, Path, bytes, IO[bytes], Image.Image, np.ndarray, Tensor, Frame]  # noqa: UP007
_GPU_IS_FULL = "The GPU has no memory left for this, so it is painted on the CPU."
_ONE = (str, Path, bytes, bytearray, memoryview, Image.Image, np.ndarray, Tensor, Frame)


def stylize(
    content: Picture,
    styles: Picture | Iterable[Picture],
    settings: Settings | Mapping[str, Any] | None = None,
    *,
    keep: Picture | None = None,
    regions: Sequence[Picture | None] = (),
    style_masks: Sequence[Picture | None] = (),
    start: Picture | None = None,
    resume: Picture | None = None,
    encoder: Encoder | tuple[Encoder, ...] | None = None,
    stop: Callable[[], bool] = bool,
    steer: Callable[[], Settings | None] | None = None,
    interval: float = 0.25,
) -> Generator[Frame, None, None]:
    """Paint `content` in the manner of `styles`, yielding the canvas as it develops.

    Gatys, Ecker and Bethge (CVPR 2016), coarse to fine. Everything is checked before this returns; the
    work happens while the frames are taken. The first frame comes after one evaluation at the coarsest
    size, further ones at most every `interval` seconds and so that a consumer of up to 30 ms costs two per
    cent at most; the last has `final` set. Closing the iterator ends the work.

    A loss that is not finite rolls the canvas back to the last good one and goes on with shorter steps;
    when memory runs out it goes on strip by strip, or else finishes at a smaller size. The frames' `notice`
    says what changes the picture.

    Args:
        content: the photo: anything `load_image` takes, an array or tensor (nst/image/arrays.py), or a frame.
            Alpha is laid on white, or is the frames' too if `settings.transparency`.
        styles: one painting or up to four, whose statistics are blended by `settings.blend`.
        settings: how to paint, also as a dictionary of knobs; the defaults if left out.
        keep: mask of the photo's proportions; where it is white the photo stays.
        regions: for each style, in their order, a mask of where it paints and nowhere else, or None. Styles
            without one are blended over the rest; if all have one, what none covers stays the photo.
        style_masks: for each style, in their order, a mask of its proportions, white where the style is to be
            taken from, or None for all of it.
        start: the picture to start from, which `settings.initial` "picture" asks for.
        resume: a painting to go on with, such as an earlier frame, of the photo's proportions. The sizes
            smaller than it are left out.
        encoder: used instead of those that the settings name; with two, the second finishes the last size.
        stop: called at every iteration; once it returns true the canvas becomes the final frame.
        steer: called at every iteration for settings, None for no change; their `live` knobs count from then
            on, with no restart.
        interval: seconds between frames, 0 for every iteration.

    Returns:
        The frames. Same pictures, settings, encoder and machine: the same bytes. Inference
        mode, autocast and the default type of torch do not matter. A process that has painted must not be
        forked to paint in the child, which hangs in torch; use "spawn".

    Raises:
        InputError: a picture or the combination of settings cannot be used.
    """
    paintings = styles_of(styles)
    if isinstance(settings, Mapping):
        settings = Settings.from_dict(dict(settings))
    given: Inputs[Any] = Inputs(content, paintings, keep, tuple(regions), start, resume, tuple(style_masks))
    return paint(given, settings or Settings(), encoder, Controls(stop, steer, interval))


def styles_of(styles: Any) -> tuple[Any, ...]:
    """Return the paintings that are given as styles: one, none, or several in whatever holds them."""
    if styles is None:
        return ()
    one = isinstance(styles, _ONE) or hasattr(styles, "read") or not isinstance(styles, Iterable)
    return (styles,) if one else tuple(styles)


def paint(
    pictures: Inputs[Picture],
    settings: Settings,
    encoder: Encoder | Sequence[Encoder] | None = None,
    controls: Controls | None = None,
) -> Generator[Frame, None, None]:
    """Paint as `stylize` does, whose arguments these are."""
    with own_state():
        run = optimization(pictures, settings, encoder, controls)

    def frames() -> Generator[Frame, None, None]:
        try:
            yield from run.frames()
        except NoRoomError:
            if encoder is not None or run.encoders[0].device.type == "cpu":
                raise
            yield from _on_cpu(pictures, settings, controls).frames()

    return each_in_own_state(frames())


def optimization(
    pictures: Inputs[Picture],
    settings: Settings,
    encoder: Encoder | Sequence[Encoder] | None = None,
    controls: Controls | None = None,
) -> Optimization:
    """Return a run that has not begun, everything checked; the arguments are those of `stylize`."""
    try:
        return _checked(pictures, settings, encoder, controls or Controls())
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if encoder is not None or pick_device(settings.device).type == "cpu":
            raise NoRoomError(TOO_LITTLE_MEMORY) from error
    return _on_cpu(pictures, settings, controls)


def _on_cpu(pictures: Inputs[Picture], settings: Settings, controls: Controls | None) -> Optimization:
    """Return a run beside a GPU whose memory others have taken."""
    run = optimization(pictures, replace(settings, device="cpu"), None, controls)
    run.notice = _GPU_IS_FULL
    return run


def _checked(
    pictures: Inputs[Picture],
    settings: Settings,
    encoder: Encoder | Sequence[Encoder] | None,
    controls: Controls,
) -> Optimization:
    _check_counts(pictures, settings)
    if settings.initial != "picture":
        pictures = replace(pictures, start=None)
    decoded = pictures.map(_decode)
    alpha = decoded.photo[:, 3:] if settings.transparency and decoded.photo.shape[1] == 4 else None
    behind = on_white if alpha is None else continued
    inputs = _prepared(decoded.map(lambda role, picture: behind(picture)), settings)
    given = None if encoder is None else tuple(encoder) if isinstance(encoder, Sequence) else (encoder,)
    scales = plan(inputs.photo.shape[-1], inputs.photo.shape[-2], settings, _schedule(settings, given))
    if inputs.resume is not None:
        reached = max(inputs.resume.shape[-2:])
        scales = [scale for scale in scales if scale.longest >= reached] or scales[-1:]
    encoders = given or load_encoders(settings)
    for each in encoders:  # refuses layers that they do not carry
        style_weights(settings.style_layers, each.layers)
        content_weights(settings.content_layer, each.layers)
    device = encoders[0].device
    seen = WorkingPictures(
        inputs.map(lambda role, picture: picture.to(device)),
        settings,
        None if alpha is None else alpha.to(device),
    )
    return Optimization(seen, settings, encoders, scales, controls)


def _check_counts(pictures: Inputs[Picture], settings: Settings) -> None:
    count = len(pictures.styles)
    if not pictures.paintings:
        raise InputError("There is no style picture; add at least one.")
    if count > len(pictures.paintings):
        raise InputError("A style picture is None; leave it out, and its region and mask as well.")
    if count > MOST_STYLES:
        raise InputError(f"There are {count} style pictures; {MOST_STYLES} are the most.")
    if len(pictures.regions) > count:
        raise InputError("There are more regions than style pictures; give each style at most one.")
    if len(pictures.style_masks) > count:
        raise InputError("There are more style masks than style pictures; give each style at most one.")
    if settings.initial == "picture" and pictures.start is None:
        raise InputError("There is no picture to start from; add one, or start from the photo.")


def _decode(role: Role, picture: Any) -> Tensor:
    if isinstance(picture, Frame):
        picture = picture.image
    if isinstance(picture, Tensor | np.ndarray):
        return from_array(picture, role.name, 1 if role.least == 1 else 2)
    if isinstance(picture, bytearray | memoryview):
        picture = bytes(picture)
    if not isinstance(picture, str | Path | bytes | Image.Image) and not hasattr(picture, "read"):
        raise InputError(
            f"{role.name} is {type(picture).__name__}; give a path, bytes, an open file, a Pillow image, an"
            " array or a tensor."
        )
    return load_image(picture, role.name, role.ground, role.least, role.alpha)


def _prepared(inputs: Inputs[Tensor], settings: Settings) -> Inputs[Tensor]:
    """Return the styles without their borders, the masks as masks of photo and styles."""

    def change(role: Role, picture: Tensor) -> Tensor:
        if role.kind == "mask":
            return prepare(picture, inputs.photo, settings.edge, role.name)
        if role.kind == "resume":
            _check_proportions(picture, inputs.photo, role.name)
        return picture

    styles = inputs.paintings
    masks = [
        None if mask is None else taken_from(mask, style, f"The mask of style {number}")
        for number, (style, mask) in enumerate(zip(styles, inputs.masks_of_styles, strict=True), 1)
    ]
    if settings.trim_border:
        inner = [(..., *without_border(style)) for style in styles]
        styles = [style[part] for style, part in zip(styles, inner, strict=True)]
        masks = [None if mask is None else mask[part] for mask, part in zip(masks, inner, strict=True)]
    return replace(inputs.map(change), styles=tuple(styles), style_masks=tuple(masks))


def _check_proportions(canvas: Tensor, photo: Tensor, label: str) -> None:
    height, width = photo.shape[-2:]
    # A small frame's sides are rounded by up to half a pixel.
    if abs(canvas.shape[-1] * height / width - canvas.shape[-2]) > 1 + 0.01 * canvas.shape[-2]:
        raise InputError(f"{label} has other proportions than the photo; take one that was painted from it.")


def _schedule(settings: Settings, encoders: tuple[Encoder, ...] | None) -> str:
    """Return the schedule of the encoders for `plan`."""
    if encoders is None:
        return encoder_choice(settings)
    return "" if len(encoders) == 1 else "refined"
