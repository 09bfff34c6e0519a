"""The look inside a painting: Gram matrices and feature maps."""

from __future__ import annotations

import gradio as gr
import numpy as np
import torch
from gradio.blocks import Block
from PIL import Image

from nst.errors import InputError
from nst.guard.clients import client_of
from nst.image.files import load_image
from nst.image.pixels import to_tensor
from nst.optimization.encoders import load_encoders
from nst.optimization.inspection import compare, feature_maps
from nst.page import status
from nst.page.inspection import EXPLAINED, gram_rows, map_row
from nst.page.parts import LONG, Values
from nst.page.parts.knobs import Knobs
from nst.page.parts.pictures import PictureInputs
from nst.page.parts.stage import Stage
from nst.painters.worker import in_worker
from nst.runs.stream import canvas_of
from nst.settings import Settings

# Layers whose feature maps can be seen: those of the fast encoder, which answers at once.
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
            settings = Settings(encoder="builtin", **knobs.read(values))
            async with service.side_work.place(client):
                pixels = await service.decoder.decode(service.files.sent(style, label), label, client)
                return await in_worker(_seen, canvas_of(chosen), pixels, settings, layer)
        except InputError as error:
            return status.remark(str(error))

    gr.HTML(EXPLAINED, elem_id="explained")
    with gr.Row():
        choice = gr.Dropdown(list(LAYERS), value=LAYERS[1], label="Feature maps of", elem_id="layer")
        button = gr.Button("Look inside this painting", size="sm", elem_id="look")
    seen = gr.HTML(elem_id="inside")
    shown: set[Block] = {stage.handle, pictures.style, choice, *knobs.of(_KNOBS)}
    gr.on([button.click, choice.input], look, shown, seen, **LONG)


def _seen(canvas: Image.Image, style: np.ndarray, settings: Settings, layer: str) -> str:
    """Return Gram matrices of painting and style, and feature maps of the painting."""
    painting = load_image(canvas)
    # The small encoder is at once done on a CPU, and a GPU may be lent to somebody else.
    (encoder,) = load_encoders(settings, torch.device("cpu"))
    views = compare(painting, to_tensor(style), settings, encoder)
    return gram_rows(views) + map_row(feature_maps(painting, layer, encoder), layer)
