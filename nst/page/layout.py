"""The page: what stands where. Each part, with what it does, is a module in `parts`."""

from __future__ import annotations

import gradio as gr

from nst.gradio_faults import pending, plots, restarts
from nst.guard.service import Service
from nst.page import footer
from nst.page.api import add_endpoint
from nst.page.gallery import photos, styles
from nst.page.parts import recall
from nst.page.parts.cropping import add_crop_tool
from nst.page.parts.forecast import ForecastLine
from nst.page.parts.inside import add_inside
from nst.page.parts.knobs import Knobs
from nst.page.parts.painting import RunController
from nst.page.parts.pictures import PictureInputs
from nst.page.parts.presets import add_presets
from nst.page.parts.returning import Returning
from nst.page.parts.share import Share
from nst.page.parts.stage import Stage
from nst.page.parts.surprise import add_surprise
from nst.page.static import on_load

TITLE = "Painted live"
PROMISE = "Turn your photo into a painting, and watch it being painted."


def build(service: Service) -> gr.Blocks:
    """Return the page, ready to launch."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as demo:
        pictures, knobs, stage = PictureInputs(service), Knobs(service.limits), Stage(service)
        _add_header()
        with gr.Row(elem_id="studio"):
            with gr.Column(elem_id="inputs", scale=0, min_width=380):
                pictures.add_intake(knobs.components["initial"])
                with gr.Row(elem_id="pictures"):
                    with gr.Column(min_width=140, elem_classes="card"):
                        pictures.add_main(pictures.photo, photos())
                        add_crop_tool(pictures, pictures.photo, "crop")
                    with gr.Column(min_width=140, elem_classes="card"):
                        pictures.add_main(pictures.style, styles())
                        add_crop_tool(pictures, pictures.style, "crop-style")
                gr.HTML(footer.privacy(service.limits.keep), elem_id="privacy")
                stage.paint.render()
                forecast = ForecastLine(pictures, knobs)
                add_surprise(pictures, knobs)
                add_presets(knobs)
                with gr.Column(elem_id="options"):
                    _add_options(pictures, knobs)
            with gr.Column(elem_id="stage", scale=1, min_width=320):
                stage.add_canvas()
                returning = Returning(stage, pictures, knobs)
                with gr.Tabs(elem_id="after"):
                    with gr.Tab("Before and after"):
                        stage.comparison.render()
                    with gr.Tab("Time-lapse"):
                        stage.film_line.render()
                        stage.film.render()
                    with gr.Tab("Link and settings"):
                        share = Share(demo, pictures, knobs)
                    with gr.Tab("Expert"):
                        gr.HTML("<h3>Progress chart</h3>")
                        stage.chart.render()
                        gr.HTML("<h3>Look inside</h3>")
                        add_inside(stage, pictures, knobs)
        footer.add(service.limits.keep)
        forecast.follow(recall.listen(share.followed, pictures, knobs))
        RunController(stage, pictures, knobs, forecast, returning)
        add_endpoint(service)
    # What takes long has a queue of its own, and what does not a budget (nst/guard/budgets.py): Gradio's
    # queue is never full, and nobody can fill it for others. What has no queue is not to be had around it.
    demo.queue(max_size=None, api_open=False)
    restarts.keep_open_pages(demo)
    pending.rest_between_looks(demo)
    plots.draw_in_no_window()
    return demo


def _add_header() -> None:
    """Put the title here."""
    skip = '<a class="skip" href="#paint">Skip to Paint</a>'
    full = '<a id="full-page" target="_blank" rel="noopener">Open the full page</a>'
    with gr.Row(elem_id="top"):
        text = f"{skip}<h1>{TITLE}</h1><p>{PROMISE}</p>{full}"
        gr.HTML(text, elem_id="title", js_on_load=on_load("accessibility"))


def _add_options(pictures: PictureInputs, knobs: Knobs) -> None:
    """Put the closed groups here, each named for what people want to change."""
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
