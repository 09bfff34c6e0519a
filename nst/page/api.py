"""The endpoint for programs: /stylize, by HTTP, gradio_client and MCP."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from nst.errors import InputError
from nst.gradio_faults.inputs import Picture
from nst.guard.clients import CALL, client_of
from nst.guard.service import Service
from nst.inputs import Inputs
from nst.knob import Knob
from nst.page.components import control
from nst.runs.stream import Update
from nst.settings import KNOBS, MOST_STYLES

_ABOUT = """Paint a photo in the manner of a painting (neural style transfer, Gatys et al. 2016).

The photo's scene is kept, its texture and colours become the style picture's. Takes some seconds on a GPU and
up to a minute on a CPU. Frames of the painting come as JPEG while it develops; the last one is the finished
PNG, which carries its settings. A clip (MP4, MOV, WebM, or an animated GIF or WebP) as the photo becomes a
painted MP4; its frames come one after the other, and may take some minutes.

Args:
"""
_NEEDED = {"photo": "the picture whose scene is kept", "style": "the picture whose manner is taken"}
_NUMBERS = range(1, MOST_STYLES + 1)
_OPTIONAL = {
    **{f"style_{n}": f"a further style picture, blended in by blend_{n}" for n in _NUMBERS[1:]},
    "keep": "mask of the photo's proportions; where it is white the photo stays",
    **{f"region_{n}": f"mask; style {n} paints where it is white and nowhere else" for n in _NUMBERS},
    **{
        f"style_mask_{n}": f"mask of style {n}; its style is taken from where this is white" for n in _NUMBERS
    },
    "start": "the picture to start from",
    "resume": "an earlier painting of this photo to go on with",
}


def add_endpoint(service: Service) -> None:
    """Add /stylize to the page that is being built; its arguments are pictures and knobs."""
    knobs = {name: service.limits.knob(name) for name, knob in KNOBS.items() if not knob.local}
    names = [*_NEEDED, *knobs, *_OPTIONAL]

    async def stylize(request: gr.Request, *given: Any) -> AsyncGenerator[str, None]:
        # An assistant that has hung up is known by its call alone: what comes in here is Gradio itself.
        call = service.calls.get(request.headers.get(CALL.decode(), ""))
        stop = call.gone if call else None
        try:
            values = dict(zip(names, given, strict=True))
            settings = service.limits.allowed({name: values[name] for name in knobs})
            if values["start"] is not None:
                settings = replace(settings, initial="picture")
            files: dict[str, Any] = {
                name: service.files.sent(value, f"The picture for {name}") if value is not None else None
                for name, value in values.items()
                if name not in knobs
            }
            pictures = Inputs(
                photo=files["photo"],
                styles=(files["style"], *(files[f"style_{n}"] for n in _NUMBERS[1:])),
                keep=files["keep"],
                regions=tuple(files[f"region_{n}"] for n in _NUMBERS),
                start=files["start"],
                resume=files["resume"],
                style_masks=tuple(files[f"style_mask_{n}"] for n in _NUMBERS),
            )
            client = client_of(request)
            run = await service.runs.begin("", client, pictures, settings, stop=stop)
            async with aclosing(run.follow(request.session_hash or "")) as updates:
                async for update in updates:
                    if isinstance(update, Update):
                        path = Path(update.picture)  # of a clip the film lies beside it
                        yield str(path.with_suffix(".mp4") if path.suffix == ".webp" else path)
            if run.message:
                raise InputError(run.message)
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from error

    described = {
        **_NEEDED,
        **{name: _described(knob) for name, knob in knobs.items()},
        **{name: f"Optional: {text}." for name, text in _OPTIONAL.items()},
    }
    stylize.__doc__ = _ABOUT + "\n".join(f"    {name}: {text}" for name, text in described.items())
    defaults = {name: knob.default for name, knob in knobs.items()} | dict.fromkeys(_OPTIONAL)
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter("request", kind, annotation=gr.Request)]
    parameters += [inspect.Parameter(name, kind) for name in _NEEDED]
    parameters += [inspect.Parameter(name, kind, default=default) for name, default in defaults.items()]
    setattr(stylize, "__signature__", inspect.Signature(parameters))  # noqa: B010 (its type has none)
    with gr.Row(visible=False):
        inputs = [  # by these ids `nst/guard/events.py` knows them
            control(knobs[name], elem_id=f"api-{name}")
            if name in knobs
            else Picture(label=name, type="filepath", elem_id=f"api-{name}")
            for name in names
        ]
        result = gr.Image(label="Painting", type="filepath", format="png", elem_id="api-result")
        button = gr.Button(elem_id="api-button")
    # Runs have a queue of their own.
    button.click(stylize, inputs, result, api_name="stylize", concurrency_limit=None)


def _described(knob: Knob) -> str:
    if knob.choices:
        return f"{knob.help} One of {', '.join(knob.choices)}."
    if knob.kind in (int, float):
        return f"{knob.help} From {knob.low:g} to {knob.high:g}."
    return knob.help
