"""The look inside a painting: Gram matrices and feature maps."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import gradio as gr
import numpy as np
import torch
from gradio.blocks import Block
from PIL import Image

from nst.errors import InputError
from nst.guard.clients import client_of
from nst.image.picture_files import encode_png, load_image
from nst.image.tensors import to_tensor
from nst.optimization.encoders import load_encoders
from nst.optimization.layer_views import LayerView, compare, feature_maps
from nst.page import status
from nst.page.components import element
from nst.page.parts import LONG, Values
from nst.page.parts.knobs import Knobs
from nst.page.parts.pictures import PictureInputs
from nst.page.parts.stage import Stage
from nst.painters.worker import in_worker
from nst.runs.stream import canvas_of
from nst.settings import Settings

_SIDE = 144  # pixels of a picture here
# Layers whose feature maps can be seen: those of the narrow network, which answers at once.
LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu3_3", "relu4_1", "relu4_2", "relu5_1")
_KNOBS = ("style_scale", "style_layers", "pooling")


def add_inside(stage: Stage, pictures: PictureInputs, knobs: Knobs) -> None:
    """Put here what the losses see in the chosen frame."""
    service = stage.service

    async def look(values: Values, request: gr.Request) -> str:
        chosen, style, layer = stage.chosen(values), values[pictures.style], values[choice]
        if chosen is None or style is None:
            return status.remark("Paint something first.")
        try:
            client, label = client_of(request), "The style picture"
            if layer not in LAYERS:
                raise InputError(f"There is nothing to see of that layer; choose one of {', '.join(LAYERS)}.")
            settings = Settings(encoder="narrow", **knobs.read(values))
            async with service.side_work.place(client):
                pixels, _ = await service.decoder.decode(service.files.sent(style, label), label, client)
                return await in_worker(_seen, canvas_of(chosen), pixels, settings, layer)
        except InputError as error:
            return status.remark(str(error))

    element("explained")
    with gr.Row():
        choice = gr.Dropdown(list(LAYERS), value=LAYERS[1], label="Feature maps of", elem_id="layer")
        button = gr.Button("Look inside this painting", size="sm", elem_id="look")
    seen = gr.HTML(elem_id="inside")
    shown: set[Block] = {stage.handle, pictures.style, choice, *knobs.of(_KNOBS)}
    gr.on([button.click, choice.input], look, shown, seen, **LONG)


def _seen(canvas: Image.Image, style: np.ndarray, settings: Settings, layer: str) -> str:
    painting = load_image(canvas)
    # The small encoder is at once done on a CPU, and a GPU may be lent to somebody else.
    (encoder,) = load_encoders(settings, torch.device("cpu"))
    views = compare(painting, to_tensor(style), settings, encoder)
    maps = "".join(
        _image((255 * each).round().astype(np.uint8), f"Feature map {number} of {layer}")
        for number, each in enumerate(feature_maps(painting, layer, encoder), 1)
    )
    caption = f"The strongest channels of {layer} in the painting."
    return f'{_gram_rows(views)}<p>{caption}</p><div class="maps">{maps}</div>'


def _gram_rows(views: Sequence[LayerView]) -> str:
    longest = max(view.residual for view in views) or 1.0
    rows = "".join(
        f'<figure><figcaption><b>{view.name}</b>, weight {view.weight:g}</figcaption><div class="pair">'
        f"{_image(_colored(view.style), f'Gram matrix of the style at {view.name}')}"
        f"{_image(_colored(view.painting), f'Gram matrix of the painting at {view.name}')}</div>"
        f'<div class="residual"><i style="width:{100 * view.residual / longest:.1f}%"></i></div>'
        f"<small>residual {view.residual:.4f}</small></figure>"
        for view in views
    )
    return (
        "<p>Left the style, right the painting: the more alike, the better its texture is met."
        f' The bar is the difference that is left.</p><div class="grams">{rows}</div>'
    )


def _image(pixels: np.ndarray, alt: str) -> str:
    picture = Image.fromarray(pixels)
    grown = picture.resize(
        (_SIDE, round(_SIDE * picture.height / picture.width)),
        Image.Resampling.NEAREST if picture.width < _SIDE else Image.Resampling.BICUBIC,
    )
    data = base64.b64encode(encode_png(np.asarray(grown))).decode()
    return f'<img alt="{alt}" src="data:image/png;base64,{data}">'


def _colored(values: np.ndarray) -> np.ndarray:
    """Return values from -1 to 1 as colours: blue below zero, white at it, orange to black above."""
    anchors = np.array([-1.0, 0.0, 0.5, 1.0])
    colors = np.array([[33, 102, 172], [248, 247, 244], [240, 138, 48], [60, 16, 8]])
    pixels = np.stack([np.interp(values, anchors, channel) for channel in colors.T], -1)
    return pixels.round().astype(np.uint8)
