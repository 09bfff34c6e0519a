"""Gradio components that behave as a live painting needs."""

from __future__ import annotations

import html
import json
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData

from nst.gradio_faults.events import message
from nst.gradio_faults.inputs import Control, KnobCheckbox, KnobDropdown, KnobNumber, KnobRadio, KnobSlider
from nst.knob import Knob
from nst.page.gallery import Example, place
from nst.page.static import on_load

# Of a part of the photo: width to height, 0 for any.
_SHAPES = {"Any": 0.0, "Square": 1.0, "3 : 2": 3 / 2, "2 : 3": 2 / 3, "16 : 9": 16 / 9, "9 : 16": 9 / 16}


def picked(event: gr.EventData, count: int) -> int | None:
    """Return which of `count` buttons was clicked; None if what was sent is the number of none of them."""
    index = message(event).get("index")
    return index if type(index) is int and 0 <= index < count else None


def served(path: str | Path) -> dict[str, Any]:
    """Return a file as Gradio serves it to a script; it is in Gradio's cache folder, or an example."""
    return FileData(path=str(path)).model_dump()


class LivePreview(gr.HTML):
    """An image that keeps up on slow lines: it finishes the frame in flight, then shows the newest.

    A plain image drops the load in flight at every update; on a slow line it never shows anything.
    Its value is `served`.
    """

    def __init__(self, value: dict[str, Any] | None = None, **more: Any) -> None:
        super().__init__(
            value=value,
            html_template='<img class="canvas" alt="The painting" title="Hold to see the photo"'
            ' tabindex="0" aria-description="Hold space to see the photo">'
            '<img class="photo" alt="" hidden>',
            js_on_load=on_load("livePreview"),
            **more,
        )


class SoFar(gr.HTML):
    """What is finished of a clip, playing; its value is `served`, of a picture that moves."""

    def __init__(self, **more: Any) -> None:
        super().__init__(
            html_template='{{#if value}}<img alt="The clip so far" src="{{value.url}}">{{/if}}',
            js_on_load=None,
            **more,
        )


class Strip(gr.HTML):
    """A row of thumbnails that are buttons with names; a click tells its `index`, the card's is marked.

    Gradio's own example gallery gives its pictures no names, which leaves screen readers with nothing.

    Args:
        examples: of the gallery.
        of: the element id of the card that shows the one that was chosen.
    """

    def __init__(self, examples: Sequence[Example], of: str, **more: Any) -> None:
        buttons = ""
        for index, example in enumerate(examples):
            title = html.escape(example.title)
            buttons += (
                f'<button type="button" data-index="{index}" data-name="{html.escape(example.path.stem)}"'
                f' title="{title}" aria-label="Use the {of} {title}" aria-pressed="false">'
                f'<i style="--place: {place(example.path)}"></i></button>'
            )
        super().__init__(
            html_template=f'<div class="examples" role="group" aria-label="Examples" data-of="{of}">{buttons}'
            "</div>",
            js_on_load=on_load("select"),
            **more,
        )


class Filmstrip(gr.HTML):
    """A row of pictures that are buttons; a click tells its `index`. Its value: "file" and "name" of each."""

    def __init__(self, **more: Any) -> None:
        super().__init__(
            value=[],
            html_template=(
                '{{#each value}}<button type="button" data-index="{{@index}}" title="{{this.name}}"'
                ' aria-label="Show {{this.name}}" aria-pressed="false">'
                '<img alt="" src="{{this.file.url}}"></button>{{/each}}'
            ),
            js_on_load=on_load("select"),
            **more,
        )


class Intake(gr.HTML):
    """Takes files for cards by drop, paste and choice; `upload` tells "card" and "file".

    Its value is the answer to that: which "file", whether it was "taken", and the "message" about it.

    Args:
        cards: element ids of the picture inputs; what is pasted anywhere is for the first.
    """

    def __init__(self, cards: list[str], **more: Any) -> None:
        encoded = html.escape(json.dumps(cards))
        super().__init__(
            html_template=f'<i hidden data-cards="{encoded}"></i>',
            js_on_load=on_load("intake"),
            **more,
        )


class CropTool(gr.HTML):
    """Turns a picture and cuts a part out of it; `submit` tells which, and by what word it was "asked".

    Its value is the answer to that: the word, and a "message", "" if it was done.

    Args:
        of: the element id of the picture input, as people call it.
    """

    def __init__(self, of: str, **more: Any) -> None:
        shapes = "".join(f'<option value="{ratio:.6g}">{name}</option>' for name, ratio in _SHAPES.items())
        super().__init__(
            html_template=f"""
<button type="button" class="open" aria-label="Crop or rotate the {of}">Crop or rotate</button>
<dialog aria-label="Crop or rotate the {of}" data-of="{of}">
<div class="frame"><canvas aria-hidden="true"></canvas><div class="part" role="group" tabindex="0"
 aria-label="The part that is kept; arrow keys move it, with Shift they change its size"></div></div>
<p class="message" role="alert"></p>
<div class="row"><button type="button" class="left">Rotate left</button>
<button type="button" class="right">Rotate right</button>
<label>Shape <select>{shapes}</select></label></div>
<div class="row"><button type="button" class="cancel">Cancel</button>
<button type="button" class="use">Crop {of}</button></div>
</dialog>""",
            js_on_load=on_load("crop"),
            **more,
        )


class RunHandle(gr.HTML):
    """Which run a page shows; its `submit` asks for that run after a reload.

    Its value: {"key", "run", "chosen"}. The key is the visitor's, made and kept by the browser, and proves
    whose runs are asked for; "run" is the id of the one that is shown, "chosen" the step of the frame of it.
    """

    def __init__(self, **more: Any) -> None:
        super().__init__(value=None, html_template="", js_on_load=on_load("runHandle"), **more)


class History(gr.HTML):
    """A row of a visitor's paintings, each to be opened (`select`) or deleted (`delete`) by its `id`.

    Its value: "id", "file" and "name" of each, and "deleted" of one that may come back.
    """

    def __init__(self, **more: Any) -> None:
        super().__init__(
            value=[],
            html_template=(
                "{{#if value}}<p>Recent paintings (kept for an hour)</p>{{/if}}"
                '<div class="row">{{#each value}}<div class="one">'
                '{{#if this.deleted}}<button type="button" class="open" data-id="{{this.id}}">'
                "<span>Painting deleted.<br><b>Undo</b></span></button>{{else}}"
                '<button type="button" class="open" data-id="{{this.id}}" title="{{this.name}}"'
                ' aria-label="Open {{this.name}}">'
                '{{#if this.file}}<img alt="" src="{{this.file.url}}">{{/if}}'
                "<span>{{this.name}}</span></button>"
                '<button type="button" class="delete" data-id="{{this.id}}" title="Delete"'
                ' aria-label="Delete {{this.name}}">×</button>{{/if}}</div>{{/each}}</div>'  # noqa: RUF001
            ),
            js_on_load=on_load("paintings"),
            **more,
        )


class PaintButton(gr.HTML):
    """Paint, and Stop while a run is on: `submit` begins one, `stop` ends it.

    Its value: "busy", "stopping", "missed" for a stop that found no run, or what `freed` returns. Gradio's
    own buttons would have to take turns, and the one that goes takes the keyboard's focus with it.
    """

    def __init__(self, **more: Any) -> None:
        super().__init__(
            value=freed(),
            html_template=(
                '<button type="button" id="paint">Paint</button><span class="unseen" role="status"></span>'
            ),
            js_on_load=on_load("paintButton"),
            **more,
        )


def freed(spoken: str = "") -> dict[str, str]:
    """Return the value of a `PaintButton` that can begin a run again.

    Gradio sends the last message of a run twice; its "id" tells the second one, which may come after a press.
    """
    return {"state": "ready", "id": secrets.token_hex(4), "spoken": spoken}


class Actions(gr.HTML):
    """What can be done with a picture: save, share, copy and so on; `submit` goes on, `select` larger.

    Its value: "file", "name" of the file that is saved, whether it "moves", and "larger": "size" (the longest
    side in pixels) and "text" of each size that it can go on to.
    """

    def __init__(self, **more: Any) -> None:
        super().__init__(
            html_template=(
                '{{#if value}}<a class="action" id="download" href="{{value.file.url}}"'
                ' download="{{value.name}}">Download</a>'
                '<button type="button" class="action" id="share">Share</button>'
                "{{#unless value.moves}}"
                '<button type="button" class="action" id="jpeg">Save as JPEG</button>'
                '<button type="button" class="action" id="copy">Copy</button>{{/unless}}'
                '<button type="button" class="action" id="continue">Continue</button>'
                '{{#if value.larger.length}}<details id="larger">'
                '<summary class="action">Paint larger</summary><div>'
                '{{#each value.larger}}<button type="button" data-size="{{this.size}}">{{this.text}}'
                "</button>{{/each}}</div></details>{{/if}}"
                '<button type="button" class="action" id="whole">View full screen</button>{{/if}}'
            ),
            js_on_load=on_load("actions"),
            **more,
        )


class Film(gr.HTML):
    """A short film that plays by itself, and links to save it.

    Its value: the files "mp4" and "webp", and "name" of both where they are saved, without an ending.
    """

    def __init__(self, **more: Any) -> None:
        super().__init__(
            html_template=(
                "{{#if value}}<video controls autoplay loop muted playsinline"
                ' aria-label="The painting as a time-lapse" src="{{value.mp4.url}}"></video><div class="row">'
                '<a class="action" id="mp4" href="{{value.mp4.url}}" download="{{value.name}}.mp4">'
                "Download MP4</a>"
                '<a class="action" id="webp" href="{{value.webp.url}}" download="{{value.name}}.webp">'
                "Download WebP</a></div>{{/if}}"
            ),
            js_on_load=None,
            **more,
        )


class BeforeAfter(gr.HTML):
    """Two pictures of one size, one over the other, and a slider between them.

    Gradio's own takes no key, and asks for both pictures by a script of its own.
    Its value: the files "before" and "after".
    """

    def __init__(self, value: dict[str, Any] | None = None, **more: Any) -> None:
        super().__init__(
            value=value,
            html_template=(
                '{{#if value}}<div class="over"><img alt="The photo" src="{{value.before.url}}">'
                '<img class="after" alt="The painting" src="{{value.after.url}}"></div>'
                '<input type="range" min="0" max="100" value="50"'
                ' aria-label="How much of the photo is shown">'
                "{{else}}<p>The comparison appears here when a painting is finished.</p>{{/if}}"
            ),
            js_on_load=on_load("beforeAfter"),
            **more,
        )


def control(knob: Knob, **more: Any) -> Control:
    """Return the input component that a knob calls for."""
    common: dict[str, Any] = {
        "label": knob.label,
        "info": knob.help,
        "value": knob.default,
        "elem_id": knob.name,
        **more,
    }
    if knob.kind is bool:
        return KnobCheckbox(**common)
    if knob.choices:
        return KnobRadio(choices=[(label, value) for value, label in knob.choices.items()], **common)
    if knob.kind is str:
        suggested = [(label, value) for value, label in knob.suggestions.items()]
        return KnobDropdown(choices=suggested, allow_custom_value=True, **common)
    if knob.name == "seed":  # a slider over four billion values cannot be aimed
        return KnobNumber(minimum=knob.low, maximum=knob.high, precision=0, **common)
    return KnobSlider(minimum=knob.low, maximum=knob.high, step=knob.step, buttons=[], **common)
