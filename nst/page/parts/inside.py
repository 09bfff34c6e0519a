"""The look inside a painting: Gram matrices and feature maps."""

from __future__ import annotations

import gradio as gr
import torch

from nst.errors import InputError
from nst.guard.clients import client_of
from nst.guard.service import Service
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


class Inside:
    """What the losses see in the chosen frame."""

    def __init__(self, service: Service, stage: Stage, pictures: PictureInputs, knobs: Knobs) -> None:
        self.service, self.stage, self.pictures, self.knobs = service, stage, pictures, knobs
        gr.HTML(EXPLAINED, elem_id="explained")
        with gr.Row():
            self.layer = gr.Dropdown(list(LAYERS), value=LAYERS[1], label="Feature maps of", elem_id="layer")
            button = gr.Button("Look inside this painting", size="sm", elem_id="look")
        seen = gr.HTML(elem_id="inside")
        gr.on(
            [button.click, self.layer.input],
            self._look,
            {stage.handle, pictures.style, self.layer, *knobs.of(_KNOBS)},
            seen,
            **LONG,
        )

    async def _look(self, values: Values, request: gr.Request) -> str:
        chosen = self.stage.chosen(values)
        style, layer = values[self.pictures.style], values[self.layer]
        if chosen is None or style is None:
            return status.remark("Paint something first.")
        try:
            client = client_of(request)
            if layer not in LAYERS:
                raise InputError(f"There is nothing to see of that layer; choose one of {', '.join(LAYERS)}.")
            settings = Settings(encoder="builtin", **self.knobs.read(values))
            async with self.service.side_work.place(client):
                label = "The style picture"
                pixels, _ = await self.service.decoder.decode(
                    self.service.files.sent(style, label), label, client
                )
                canvas = canvas_of(chosen)

                def look() -> str:
                    # The small encoder is at once done on a CPU, and a GPU may be lent to somebody else.
                    (encoder,) = load_encoders(settings, torch.device("cpu"))
                    painting = load_image(canvas)
                    views = compare(painting, to_tensor(pixels), settings, encoder)
                    return gram_rows(views) + map_row(feature_maps(painting, layer, encoder), layer)

                return await in_worker(look)
        except InputError as error:
            return status.remark(str(error))
