"""The page: what stands where. Each part, with what it does, is a module in `parts`."""

from __future__ import annotations

import os

import gradio as gr

from nst.gradio_faults import pending, plots, restarts
from nst.guard.service import Service
from nst.page import status
from nst.page.api import add_endpoint
from nst.page.components import element
from nst.page.gallery import photos, styles
from nst.page.parts.cropping import add_crop_tool
from nst.page.parts.inside import add_inside
from nst.page.parts.knobs import Knobs, add_forecast
from nst.page.parts.painting import RunController
from nst.page.parts.pictures import PictureInputs
from nst.page.parts.presets import add_presets, add_surprise
from nst.page.parts.returning import add_returning
from nst.page.parts.share import add_share
from nst.page.parts.stage import Stage

TITLE = "Painted live"
PROMISE = "Turn your photo into a painting, and watch it being painted."


def build(service: Service) -> gr.Blocks:
    kept = status.spoken(service.limits.keep)
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as demo:
        pictures, knobs, stage = PictureInputs(service), Knobs(service.limits), Stage(service)
        with gr.Row(elem_id="top"):
            element("title", "accessibility", title=TITLE, promise=PROMISE)
        with gr.Row(elem_id="studio"):
            with gr.Column(elem_id="inputs", scale=0, min_width=380):
                pictures.add_intake(knobs.components["initial"])
                with gr.Row(elem_id="pictures"):
                    mains = (pictures.photo, photos(), "crop"), (pictures.style, styles(), "crop-style")
                    for card, examples, crop in mains:
                        with gr.Column(min_width=140, elem_classes="card"):
                            pictures.add_main(card, examples)
                            add_crop_tool(pictures, card, crop)
                gr.HTML(f"<p>Only you see your photo. Deleted after {kept}.</p>", elem_id="privacy")
                stage.paint.render()
                tell_forecast = add_forecast(pictures, knobs)
                add_surprise(pictures, knobs)
                add_presets(knobs)
                with gr.Column(elem_id="options"):
                    _add_options(pictures, knobs)
            with gr.Column(elem_id="stage", scale=1, min_width=320):
                for component in stage.canvas:
                    component.render()
                brought = add_returning(stage, pictures, knobs)
                with gr.Tabs(elem_id="after"):
                    with gr.Tab("Before and after"):
                        stage.comparison.render()
                    with gr.Tab("Time-lapse"):
                        stage.film.render()
                    with gr.Tab("Link and settings"):
                        restored = add_share(demo, pictures, knobs)
                    with gr.Tab("Expert"):
                        gr.HTML("<h3>Progress chart</h3>")
                        stage.chart.render()
                        gr.HTML("<h3>Look inside</h3>")
                        add_inside(stage, pictures, knobs)
        element("foot", "theme", kept=kept, source=_source())
        tell_forecast(restored)
        RunController(stage, pictures, knobs, tell_forecast, brought)
        add_endpoint(service)
    # What takes long has a queue of its own, and what does not a budget (nst/guard/budgets.py): Gradio's
    # queue is never full, and nobody can fill it for others. What has no queue is not to be had around it.
    demo.queue(max_size=None, api_open=False)
    restarts.keep_open_pages(demo)
    pending.rest_between_looks(demo)
    plots.draw_in_no_window()
    return demo


def _add_options(pictures: PictureInputs, knobs: Knobs) -> None:
    with gr.Accordion("Look", open=False):
        knobs.add("colors", "style_scale", "large_shapes", "subject", "smoothness", "trim_border")
    with gr.Accordion("Areas", open=False):
        for brush in pictures.brushes.values():
            brush.render()
        knobs.add("edge", "transparency")
        pictures.add_further_styles()
        knobs.add("blend_1", "blend_2", "blend_3", "blend_4")
    with gr.Accordion("Quality", open=False):
        knobs.add("size", "coarse_to_fine")
        pictures.start.render()
        knobs.add("initial", "initial_noise")
    with gr.Accordion("Expert", open=False):
        knobs.add("encoder", "style_loss", "style_layers", "content_layer", "optimizer", "pooling", "seed")


def _source() -> str:
    """Return where the code of this host is to be had: what `NST_SOURCE` says, or the Space's own files."""
    space = os.environ.get("SPACE_ID", "")
    own = f"https://huggingface.co/spaces/{space}/tree/main" if space else ""
    named = os.environ.get("NST_SOURCE") or own
    return named if named.startswith(("https://", "http://")) else ""
