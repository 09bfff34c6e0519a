"""The page: what stands where. Each part, with what it does, is a module in `parts`."""

from __future__ import annotations

import json
import zlib

import gradio as gr

from nst.gradio_faults import pending, plots
from nst.guard.service import Service
from nst.page import footer
from nst.page.api import add_endpoint
from nst.page.components import PaintButton
from nst.page.parts import cropping, recall
from nst.page.parts.comparison import Comparison
from nst.page.parts.film import TimeLapse
from nst.page.parts.forecast import ForecastLine
from nst.page.parts.inside import Inside
from nst.page.parts.knobs import Knobs
from nst.page.parts.losses import add_chart
from nst.page.parts.painting import RunController
from nst.page.parts.pictures import PictureInputs
from nst.page.parts.presets import add_presets
from nst.page.parts.returning import Returning
from nst.page.parts.share import Share
from nst.page.parts.stage import Stage
from nst.page.parts.surprise import Surprise
from nst.page.static import on_load

TITLE = "Painted live"
PROMISE = "Turn your photo into a painting, and watch it being painted."


def build(service: Service) -> gr.Blocks:
    """Return the page, ready to launch."""
    pictures, knobs = PictureInputs(service), Knobs(service.limits)
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as demo:
        _add_header()
        with gr.Row(elem_id="studio"):
            with gr.Column(elem_id="inputs", scale=0, min_width=380):
                pictures.add_main()
                gr.HTML(footer.privacy(service.limits.keep), elem_id="privacy")
                paint = PaintButton(elem_id="go")
                forecast, surprise = ForecastLine(), Surprise()
                add_presets(knobs)
                with gr.Column(elem_id="options"):
                    _add_options(pictures, knobs)
            with gr.Column(elem_id="stage", scale=1, min_width=320):
                stage = Stage(service, paint)
                returning = Returning(service.runs, stage)
                with gr.Tabs(elem_id="after"):
                    with gr.Tab("Before and after"):
                        comparison = Comparison()
                    with gr.Tab("Time-lapse"):
                        film = TimeLapse(service, stage)
                    with gr.Tab("Link and settings"):
                        share = Share()
                    with gr.Tab("Expert"):
                        gr.HTML("<h3>Progress chart</h3>")
                        chart = add_chart()
                        gr.HTML("<h3>Look inside</h3>")
                        Inside(service, stage, pictures, knobs)
        footer.add(service.limits.keep)
        pictures.take_files(knobs.components["initial"])
        pictures.read_ahead(demo)
        cropping.listen(pictures)
        surprise.listen(pictures, knobs)
        followed = share.listen(demo, pictures, knobs)
        forecast.listen(recall.listen(followed, pictures, knobs), pictures, knobs)
        returning.listen(pictures, knobs, comparison, film)
        RunController(service, pictures, knobs, stage, chart).listen(comparison, forecast, returning, film)
        add_endpoint(service)
    # What takes long has a queue of its own, and what does not a budget (nst/guard/budgets.py): Gradio's
    # queue is never full, and nobody can fill it for others. What has no queue is not to be had around it.
    demo.queue(max_size=None, api_open=False)
    # A page that is open when its host is started anew loads itself again, and loses its pictures, if it sees
    # another number here: so it stays the same as long as the page does.
    made = json.dumps(demo.get_config_file()["dependencies"], default=str, sort_keys=True)
    demo.app_id = zlib.crc32(made.encode())
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
        pictures.add_brushes()
        knobs.add("edge", "transparency")
        pictures.add_further_styles()
        knobs.add("blend_1", "blend_2", "blend_3", "blend_4")
    with gr.Accordion("Quality", open=False):
        knobs.add("size", "coarse_to_fine")
        pictures.add_start()
        knobs.add("initial", "initial_noise")
    with gr.Accordion("Expert", open=False):
        knobs.add("encoder", "style_loss", "style_layers", "content_layer", "optimizer", "pooling", "seed")
