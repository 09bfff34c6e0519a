"""The page: what stands where, what a click does."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import anyio
import gradio as gr
import torch
from anyio import to_thread

from nst.errors import InputError
from nst.host.device import describe, pick_device
from nst.image.files import load_image
from nst.image.metadata import settings_in
from nst.image.pixels import to_tensor
from nst.inputs import Inputs
from nst.optimization.encoders import encoder_names, load_encoders
from nst.optimization.estimate import forecast
from nst.optimization.inspection import compare, feature_maps
from nst.settings import KNOBS, MOST_STYLES, Settings
from nst.ui import status
from nst.ui.api import add_endpoint
from nst.ui.brush import UNREADABLE, Brush, Strokes, sent_drawing, strokes
from nst.ui.chart import LossLog
from nst.ui.components import Film, Filmstrip, LivePreview, PathOfFile, Picture, Strip, control, picked
from nst.ui.gallery import FINISHED, Example, photos, preset_file, styles
from nst.ui.inspection import EXPLAINED, gram_rows, map_row
from nst.ui.links import from_query, to_query
from nst.ui.runs.history import History
from nst.ui.runs.run import Waiting, run
from nst.ui.runs.storage import Sent
from nst.ui.runs.stream import canvas_of, film
from nst.ui.runs.wishes import Runs
from nst.ui.runs.worker import in_worker
from nst.ui.service import Service
from nst.ui.web.visitors import visitor_of
from nst.ui.words import say

Shown = dict[gr.components.Component, Any]

TITLE = "Painted live"
PROMISE = "Your photo, painted in front of you in the manner of any picture you like."
PRESET_TEXT = "An example: what the two pictures here become. Press Paint to watch it happen."

# Chips that set the three main sliders.
PRESETS: dict[str, dict[str, float]] = {
    "Light touch": {"content_weight": 7.5, "style_weight": 4.0, "iterations": 120},
    "Balanced": {name: KNOBS[name].default for name in ("content_weight", "style_weight", "iterations")},
    "Bold": {"content_weight": 3.0, "style_weight": 6.5, "iterations": 240},
}
# What answers at once: no queue, no spinner, no place in the API.
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
MAIN = ("content_weight", "style_weight", "iterations")
# Closed groups, named for what people want to do.
SIZE, COLORS, STROKES, MIX, WHERE, START, SHARE, HOOD = (
    "Size and detail",
    "Colours",
    "Brush strokes",
    "More styles",
    "Where to paint",
    "Start from",
    "Share and restore",
    "Under the hood",
)
GROUPS: dict[str, tuple[str, ...]] = {
    SIZE: ("size", "smoothness", "coarse_to_fine"),
    COLORS: ("colors",),
    STROKES: ("style_scale", "large_shapes", "trim_border"),
    MIX: ("blend_1", "blend_2", "blend_3", "blend_4"),
    WHERE: ("edge",),
    START: ("initial", "initial_noise", "seed"),
    SHARE: (),
    HOOD: ("encoder", "style_loss", "style_layers", "content_layer", "optimizer", "pooling"),
}
# Layers whose feature maps can be seen: those of the fast encoder, which answers at once.
INSIDE = ("relu1_1", "relu2_1", "relu3_1", "relu3_3", "relu4_1", "relu4_2", "relu5_1")
# The picture inputs that a link can name.
PICTURES = ("photo", "style", *(f"style_{number}" for number in range(2, MOST_STYLES + 1)))
# What the length of a run depends on.
COSTLY = ("iterations", "size", "coarse_to_fine", "encoder")


# The compact view: ?view=embed in a frame of another page, or the web component <gradio-app src=...> in it.
_EMBED = """() => {
  const component = document.querySelector('gradio-app[src]');
  const address = new URL(component ? component.getAttribute('src') : location.href, location.href);
  if (!component && address.searchParams.get('view') !== 'embed') return;
  address.searchParams.delete('view');
  const root = component ? component.shadowRoot || component : document;
  root.querySelector('#full-page').href = address.href;
  for (const part of root.querySelectorAll('#top, #studio')) {
    part.classList.add('embed');
    part.classList.toggle('component', Boolean(component));
  }
}"""
# Buttons from the click to the end of a run: Paint, Stop, Continue, Download.
_BUSY = f"""() => [
  {{__type__: 'update', value: {json.dumps(str(say("Painting")))}, interactive: false}},
  {{__type__: 'update', interactive: true}},
  {{__type__: 'update', interactive: false}},
  {{__type__: 'update', interactive: false}},
]"""
# The component's script and style are this host's own, found where the page itself has them from.
_SNIPPET = """(query) => {
  const here = location.origin + location.pathname;
  const embedded = here + '?view=embed' + (query ? '&' + query.slice(1) : '');
  const own = (selector, name) => [...document.querySelectorAll(selector)].map((found) => found[name]);
  const quoted = (text) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
  const scripts = own('script[type=module][src*="/assets/index-"]', 'src')
    .map((src) => '<script type="module" crossorigin src="' + quoted(src) + '"></script>');
  const styles = own('link[rel=stylesheet][href*="/assets/index-"]', 'href')
    .map((href) => '<link rel="stylesheet" crossorigin href="' + quoted(href) + '">');
  return [here + query,
    '<iframe src="' + quoted(embedded) + '" width="640" height="480" ' +
    'style="border:0" allow="clipboard-write; camera"></iframe>',
    [...scripts, ...styles, '<gradio-app src="' + quoted(here + query) + '"></gradio-app>'].join(' ')];
}"""


def build(service: Service) -> gr.Blocks:
    """Return the page, ready to launch.

    Args:
        service: what its visitors share.
    """
    demo = _Page(service).demo
    # What takes long has a queue of its own, and what does not a budget (nst/ui/web/budgets.py): Gradio's
    # queue is never full, and nobody can fill it for others. What has no queue is not to be had around it.
    demo.queue(max_size=None, api_open=False)
    # Gradio looks a thousand times a second whether somebody has come, which a painting on the same
    # cores was seen to pay for with a fourteenth of its time.
    demo._queue.sleep_when_free, demo._queue.progress_update_sleep_when_free = 0.01, 0.05
    return demo


class _Page:
    """The components of the page and the functions behind them."""

    def __init__(self, service: Service) -> None:
        self.service, self.limits = service, service.limits
        self.runs = Runs()
        self._one_film = anyio.Lock()
        self.knobs: dict[str, gr.components.Component] = {}
        with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as self.demo:
            self._header()
            with gr.Row(elem_id="studio"):
                with gr.Column(elem_id="inputs", scale=0, min_width=380):
                    self._pictures()
                    self._sliders()
                    self.paint = gr.Button(say("Paint"), variant="primary", elem_id="paint")
                    self.forecast = gr.HTML(elem_id="forecast")
                    self._options()
                with gr.Column(elem_id="stage", scale=1, min_width=320):
                    self._stage()
            self._clicks()
            add_endpoint(service, self._settings)

    def _header(self) -> None:
        with gr.Row(elem_id="top"):
            full = '<a id="full-page" target="_blank" rel="noopener">Open the full page</a>'
            gr.HTML(f"<h1>{TITLE}</h1><p>{say(PROMISE)}</p>{full}", elem_id="title")
            self.badge = gr.HTML(_badge(_expected_badge()), elem_id="badge")

    def _pictures(self) -> None:
        with gr.Row(elem_id="pictures"):
            self.photo = self._picture("Photo", "photo", photos(), ["upload", "webcam", "clipboard"])
            self.style = self._picture("Style", "style", styles(), ["upload", "clipboard"])

    def _picture(self, label: str, name: str, examples: list[Example], sources: list[str]) -> Picture:
        with gr.Column(min_width=140, elem_classes="card"):
            picture = Picture(
                str(examples[0].path),
                label=say(label),
                sources=sources,
                type="filepath",
                buttons=[],
                elem_id=name,
                height=150,
                alt_text=f"The {name} picture",
            )
            strip = Strip(
                [(example.title, example.thumbnail()) for example in examples],
                name,
                elem_id=f"{name}-examples",
                elem_classes="strip",
            )

            def take(event: gr.EventData) -> Any:
                index = picked(event, len(examples))
                return gr.skip() if index is None else str(examples[index].path)

            strip.select(take, None, picture, **QUIET)
        return picture

    def _share(self) -> None:
        self.make_link = gr.Button(say("Make a link to this page"), size="sm", elem_id="make-link")
        self.link, self.snippet, self.component = (
            gr.Textbox(label=label, info=info, buttons=["copy"], interactive=False, elem_id=name)
            for name, label, info in (
                ("link", say("Link"), say("Settings and examples; your own pictures are never part of it.")),
                (
                    "snippet",
                    say("To embed it in a page"),
                    say("Canvas, two pictures and the button, in 640 x 480; it begins as the link says."),
                ),
                (
                    "component-snippet",
                    say("Or as a part of the page itself"),
                    say("The same as a web component, without a frame."),
                ),
            )
        )
        self.painting = PathOfFile(
            label=say("Settings of a painting: its PNG"),
            file_types=[".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"],
            height=110,
            elem_id="settings-from",
        )
        self.taken = gr.HTML(elem_id="taken")

    def _sliders(self) -> None:
        with gr.Column(elem_id="weights"):
            chips = Strip(
                [(name, Example(preset_file(name)).thumbnail((216, 120), 0.1)) for name in PRESETS],
                elem_id="chips",
            )
            for name in MAIN:
                self._control(name)

            def take(event: gr.EventData) -> list[Any]:
                index = picked(event, len(PRESETS))
                if index is None:
                    return [gr.skip() for _ in MAIN]
                values = list(PRESETS.values())[index]
                return [values[name] for name in MAIN]

            chips.select(take, None, [self.knobs[name] for name in MAIN], **QUIET)

    def _options(self) -> None:
        with gr.Column(elem_id="options"):
            before = {MIX: self._more_styles, WHERE: self._brush, START: self._start, SHARE: self._share}
            for title, names in GROUPS.items():
                with gr.Accordion(say(title), open=False):
                    if title in before:
                        before[title]()
                    for name in names:
                        self._control(name)
        # A picture to start from is there to be used.
        self.begin.upload(lambda: "picture", None, self.knobs["initial"], **QUIET)

    def _more_styles(self) -> None:
        with gr.Row(elem_id="more-styles"):
            self.others = [
                self._picker(f"Style {number}", f"style-{number}", f"Style picture {number}")
                for number in range(2, MOST_STYLES + 1)
            ]
        examples = styles()
        strip = Strip(
            [(example.title, example.thumbnail()) for example in examples],
            "further style",
            elem_id="more-examples",
            elem_classes="strip",
        )

        def take(event: gr.EventData, *held: str | None) -> list[Any]:
            """Put an example into the first free place, or into the last."""
            free = next((place for place, picture in enumerate(held) if picture is None), len(held) - 1)
            index = picked(event, len(examples))
            path = gr.skip() if index is None else str(examples[index].path)
            return [path if place == free else gr.skip() for place in range(len(held))]

        strip.select(take, self.others, self.others, **QUIET)

    def _brush(self) -> None:
        self.brush = Brush("photo", elem_id="brush")

    def _start(self) -> None:
        self.begin = self._picker("Your own start", "start", "The picture to start from")

    @staticmethod
    def _picker(label: str, name: str, alt: str) -> Picture:
        """Return a small picture input without examples of its own."""
        return Picture(
            label=say(label),
            sources=["upload", "clipboard"],
            type="filepath",
            buttons=[],
            elem_id=name,
            height=104,
            min_width=80,
            alt_text=alt,
        )

    def _control(self, name: str) -> None:
        knob = self.limits.knob(name)
        self.knobs[name] = control(knob, label=say(knob.label), info=say(knob.help))

    def _stage(self) -> None:
        example = str(FINISHED) if FINISHED.exists() else None
        self.live = LivePreview(example, elem_id="live")
        self.status = gr.HTML(status.idle(PRESET_TEXT), elem_id="status")
        with gr.Row(elem_id="actions"):
            self.stop = gr.Button(say("Stop"), interactive=False, elem_id="stop")
            self.carry_on = gr.Button(say("Continue"), interactive=False, elem_id="continue")
            self.download = gr.DownloadButton(say("Download"), interactive=False, elem_id="download")
        self.history = gr.State(History())
        self.strip = Filmstrip(elem_id="history", elem_classes="strip")
        with gr.Tabs(elem_id="after"):
            with gr.Tab(say("Before and after")):
                self.slider = gr.ImageSlider(
                    (str(photos()[0].path), example) if example else None,
                    type="filepath",
                    format="png",
                    show_label=False,
                    interactive=False,
                    buttons=["fullscreen"],
                    elem_id="compare",
                )
            with gr.Tab(say("Loss")):
                self.chart = gr.LinePlot(
                    x="step",
                    y="log10",
                    color="term",
                    x_title="Step",
                    y_title="Loss (log10)",
                    color_title="Term",
                    height=320,
                    show_label=False,
                    buttons=[],
                    elem_id="loss",
                )

            with gr.Tab(say("Time-lapse")):
                self.make_film = gr.Button(say("Make a film of it"), size="sm", elem_id="make-film")
                self.filmed = gr.HTML(elem_id="filmed")
                self.film = Film(elem_id="film")
                with gr.Row(elem_id="films"):
                    self.as_mp4 = gr.DownloadButton("MP4", interactive=False, elem_id="mp4")
                    self.as_webp = gr.DownloadButton(say("Animated WebP"), interactive=False, elem_id="webp")

            with gr.Tab(say("Look inside")):
                gr.HTML(EXPLAINED, elem_id="explained")
                with gr.Row():
                    self.layer = gr.Dropdown(
                        list(INSIDE),
                        value=INSIDE[1],
                        label=say("Feature maps of"),
                        elem_id="layer",
                    )
                    self.look = gr.Button(say("Look inside this painting"), size="sm", elem_id="look")
                self.inside = gr.HTML(elem_id="inside")

    def _clicks(self) -> None:
        costly = [self.knobs[name] for name in COSTLY]
        inputs = [*self._inputs(), self.brush, self.begin, *self.knobs.values()]
        buttons = [self.paint, self.stop, self.carry_on, self.download]
        for button, work, more in (
            (self.paint, self._paint, []),
            (self.carry_on, self._carry_on, [self.history]),
        ):
            # By the browser alone: at once, and before anything that the server may say.
            button.click(None, None, buttons, js=_BUSY, **QUIET)
            painted = button.click(
                work,
                [*more, *inputs],
                # Gradio builds each output anew at every frame, told or not; what ends a run comes after it.
                [self.live, self.status, self.badge, self.chart, self.history],
                show_progress="minimal",
                show_progress_on=self.status,
                concurrency_limit=None,  # runs have a queue of their own
                api_visibility="private",
            )
            painted.then(
                self._release, self.history, [*buttons, self.live, self.slider, self.strip], **QUIET
            ).then(self._forecast, [self.photo, *costly], self.forecast, **QUIET)
        self.strip.select(self._choose, self.history, [self.live, self.status, self.history], **QUIET)
        layers = [self.knobs[name] for name in ("style_scale", "style_layers", "pooling")]
        gr.on(
            [self.look.click, self.layer.input],
            self._look_inside,
            [self.history, self.style, self.layer, *layers],
            self.inside,
            show_progress="minimal",
            concurrency_limit=None,  # there are places for it, and few (SideWork)
            api_visibility="private",
        )
        self.make_film.click(
            self._make_film,
            self.history,
            [self.film, self.filmed, self.as_mp4, self.as_webp],
            show_progress="minimal",
            show_progress_on=self.filmed,
            concurrency_limit=None,  # likewise
            api_visibility="private",
        )
        self.stop.click(self._stop, None, self.stop, **QUIET)
        live = [knob for name, knob in self.knobs.items() if KNOBS[name].live]
        gr.on(
            [knob.change for knob in live],
            self._steer,
            live,
            trigger_mode="multiple",
            **QUIET,
        )
        self.make_link.click(self._link, [*self._inputs(), *self.knobs.values()], self.link, **QUIET).then(
            None, self.link, [self.link, self.snippet, self.component], js=_SNIPPET
        )
        self.demo.load(None, None, None, js=_EMBED, **QUIET)
        self.demo.load(self._follow, None, [self.status, *self._inputs(), *self.knobs.values()], **QUIET)
        self.painting.upload(self._restore, self.painting, [self.taken, *self.knobs.values()], **QUIET)
        gr.on(
            [self.demo.load, self.photo.change, *(knob.change for knob in costly)],
            self._forecast,
            [self.photo, *costly],
            self.forecast,
            trigger_mode="multiple",
            **QUIET,
        )
        self.demo.unload(self._leave)

    async def _paint(self, request: gr.Request, *given: Any) -> AsyncIterator[Shown]:
        async with aclosing(self._run(request, History(), *given)) as shown:
            async for each in shown:
                yield each

    async def _carry_on(self, request: gr.Request, history: History, *given: Any) -> AsyncIterator[Shown]:
        async with aclosing(self._run(request, history, *given)) as shown:
            async for each in shown:
                yield each

    async def _run(
        self, request: gr.Request, history: History, photo: str | None, *given: Any
    ) -> AsyncIterator[Shown]:
        """Paint for a visitor, from the start or from the chosen frame of a history on."""
        wish = self.runs.begin(request.session_hash)
        losses = LossLog()
        charted = -1.0
        try:
            *looks, drawing, start = given[: MOST_STYLES + 2]
            settings = self._settings(dict(zip(self.knobs, given[MOST_STYLES + 2 :], strict=True)))
            canvas = None if history.chosen is None else canvas_of(history.chosen)
            stop, visitor = wish.stop.is_set, visitor_of(request)
            drawn = await self._drawn(drawing, visitor)
            pictures = Inputs(
                self._sent(photo, "The photo"),
                tuple(self._sent(look, "The style picture") for look in looks),
                drawn.keep,
                drawn.regions,
                self._sent(start, "The picture to start from"),
                canvas,
            )
            painted = False
            updates = run(
                self.service, visitor, request.session_hash, pictures, settings, stop, lambda: wish.settings
            )
            async with aclosing(updates):
                async for update in updates:
                    if isinstance(update, Waiting):
                        yield {self.status: status.waiting(*update)}
                        continue
                    painted = True
                    frame = update.frame
                    losses.add(frame)
                    shown: dict[gr.components.Component, Any] = {self.live: update.picture}
                    if frame.final:
                        shown[self.status] = status.finished(frame, wish.stop.is_set())
                        shown[self.history] = History.of(update)
                    else:
                        shown[self.status] = status.running(frame)
                    if frame.final or frame.seconds - charted >= 1:
                        charted = frame.seconds
                        shown[self.chart] = losses.table()
                        shown[self.badge] = _badge(status.badge(frame))
                    yield shown
            if not painted:
                yield {self.status: status.idle("Stopped before it began; press Paint to begin.")}
        except InputError as error:
            yield {self.status: status.failed(str(error))}
        finally:
            self.runs.end(request.session_hash)

    def _sent(self, path: str | None, what: str) -> Sent | None:
        return None if path is None else self.service.files.sent(path, what)

    async def _drawn(self, drawing: Any, visitor: str) -> Strokes:
        data = sent_drawing(drawing)
        if data is None:
            return Strokes()
        try:
            pixels = await self.service.decoder.drawing(data, "The drawing", visitor)
        except InputError as error:
            raise InputError(UNREADABLE) from error
        return await to_thread.run_sync(strokes, pixels)

    def _release(self, history: History) -> tuple[Any, ...]:
        """Show what a run has left, and free the buttons for the next one."""
        buttons = gr.Button(say("Paint"), interactive=True), gr.Button(say("Stop"), interactive=False)
        if not history.frames:
            return *buttons, *(gr.skip() for _ in range(5))
        finished = history.frames[-1].path
        return (
            *buttons,
            gr.Button(interactive=True),
            gr.DownloadButton(value=finished, interactive=True),
            # The last frame once more, in a message of its own, should the stream have lost it at its end.
            finished,
            (history.before, finished),
            history.strip(),
        )

    def _choose(self, history: History, event: gr.EventData) -> tuple[Any, ...]:
        """Show the kept frame that was clicked; Continue goes on from it."""
        shown = history.shown()
        index = picked(event, len(shown))
        if index is None:
            return gr.skip(), gr.skip(), gr.skip()
        kept = shown[index]
        history = replace(history, chosen=kept)
        return kept.path, status.idle(f"{kept.name}. Continue goes on from here."), history

    async def _look_inside(
        self, request: gr.Request, history: History, style: str | None, layer: Any, *values: Any
    ) -> str:
        if history.chosen is None or style is None:
            return status.remark("Paint something first.")
        try:
            visitor = visitor_of(request)
            if layer not in INSIDE:
                raise InputError(f"There is nothing to see of that layer; choose one of {', '.join(INSIDE)}.")
            names = ("style_scale", "style_layers", "pooling")
            settings = Settings(encoder="builtin", **dict(zip(names, values, strict=True)))
            with self.service.side_work.place(visitor):
                what = "The style picture"
                pixels = await self.service.decoder.decode(self._sent(style, what), what, visitor)
                canvas = canvas_of(history.chosen)

                def look() -> str:
                    # The small encoder is at once done on a CPU, and a GPU may be lent to somebody else.
                    (encoder,) = load_encoders(settings, torch.device("cpu"))
                    painting = load_image(canvas)
                    views = compare(painting, to_tensor(pixels), settings, encoder)
                    return gram_rows(views) + map_row(feature_maps(painting, layer, encoder), layer)

                return await in_worker(look)
        except InputError as error:
            return status.remark(str(error))

    async def _make_film(self, request: gr.Request, history: History) -> tuple[Any, ...]:
        nothing = (None, gr.DownloadButton(interactive=False), gr.DownloadButton(interactive=False))
        if not history.frames:
            return nothing[0], status.remark("Paint something first."), *nothing[1:]
        try:
            with self.service.side_work.place(visitor_of(request)):
                async with self._one_film:
                    mp4, webp = await to_thread.run_sync(film, self.service.files, history.frames)
        except InputError as error:
            return nothing[0], status.remark(str(error)), *nothing[1:]
        return (
            mp4,
            "",
            gr.DownloadButton(value=mp4, interactive=True),
            gr.DownloadButton(value=webp, interactive=True),
        )

    def _stop(self, request: gr.Request) -> Any:
        self.runs.stop(request.session_hash)
        return gr.Button(say("Stopping"), interactive=False)

    def _inputs(self) -> list[Picture]:
        return [self.photo, self.style, *self.others]

    def _link(self, *values: Any) -> str:
        given = zip(PICTURES, values, strict=False)
        pictures = {name: path for name, path in given if self.service.files.find(path) is not None}
        query = to_query(dict(zip(self.knobs, values[len(PICTURES) :], strict=True)), pictures)
        return f"?{query}" if query else ""

    def _follow(self, request: gr.Request) -> list[Any]:
        """Bring the page into the state that its link names."""
        values, pictures = from_query(request.query_params, PICTURES)
        # The finished example belongs to the presets.
        said = status.idle("Press Paint to watch it happen.") if pictures else gr.skip()
        shown = [str(pictures[name]) if name in pictures else gr.skip() for name in PICTURES]
        return [said, *shown, *self._taking(values)]

    async def _restore(self, request: gr.Request, painting: str | None) -> list[Any]:
        """Set the knobs as the dropped painting's."""
        what = "The picture"
        try:
            file = self._sent(painting, what)
            if file is None:
                return [gr.skip() for _ in range(1 + len(self.knobs))]
            text = await self.service.decoder.text(file, what, visitor_of(request))
            values = Settings.acceptable(settings_in(text, what))
        except InputError as error:
            return [status.remark(str(error)), *self._taking({})]
        said = status.remark("The settings of that painting are set; add its pictures.")
        return [said, *self._taking(values)]

    def _taking(self, values: dict[str, Any]) -> list[Any]:
        """Return what brings the controls to `values`, as far as this host allows; others stay."""
        if "size" in values:
            values = {**values, "size": min(values["size"], self.limits.size)}
        return [values.get(name, gr.skip()) for name in self.knobs]

    def _steer(self, request: gr.Request, *values: Any) -> None:
        names = [name for name in self.knobs if KNOBS[name].live]
        # A slider that is being typed into may hold anything for a moment.
        with contextlib.suppress(InputError):
            self.runs.steer(request.session_hash, Settings(**dict(zip(names, values, strict=True))))

    def _leave(self, request: gr.Request) -> None:
        self.runs.stop(request.session_hash)
        self.runs.end(request.session_hash)

    async def _forecast(self, request: gr.Request, photo: str | None, *values: Any) -> str:
        """Return what the next run will be, as far as that can be told."""
        try:
            settings = self._settings(dict(zip(COSTLY, values, strict=True)))
            if photo is None:
                return ""
            device, what = describe(pick_device()), "The photo"
            size = await self.service.decoder.measure(self._sent(photo, what), what, visitor_of(request))
            predicted = forecast(*size, settings, device)
        except InputError as error:
            return status.remark(str(error))
        return status.forecast(predicted, device)

    def _settings(self, values: dict[str, Any]) -> Settings:
        settings = Settings.from_dict(values)
        self.limits.apply(settings)
        return replace(settings, time_limit=self.limits.seconds)


def _expected_badge() -> str:
    """Return what a run with default settings will most likely be painted with."""
    return f"{', then '.join(encoder_names(Settings()))} on {describe(pick_device())}"


def _badge(text: str) -> str:
    return f"<span>{text}</span>"
