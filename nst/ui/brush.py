"""The brush: a photo to paint on, each colour saying what is to happen there."""

from __future__ import annotations

import base64
import html
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from nst.errors import InputError
from nst.settings import MOST_STYLES
from nst.ui.runs.decode_worker import MOST_DRAWN

# Far apart from one another, so that a smoothed pixel still names its role.
KEEP = "#ffffff"
STYLES = ("#e6194b", "#0082ff", "#ffb000", "#00b060")[:MOST_STYLES]
ROLES = {"Keep the photo": KEEP, **{f"Style {number}": color for number, color in enumerate(STYLES, 1)}}

_START = "data:image/png;base64,"
# More than any drawing of that size can have: four bytes a pixel, in base64.
_MOST_CHARACTERS = 4 * MOST_DRAWN**2 * 4 // 3 + 10_000


UNREADABLE = "What was drawn on the photo cannot be read; clear it and draw again."


@dataclass(frozen=True)
class Strokes:
    """What was drawn, as masks for `stylize`."""

    keep: Image.Image | None = None
    regions: tuple[Image.Image | None, ...] = (None,) * MOST_STYLES


def sent_drawing(drawing: Any) -> bytes | None:
    """Return the PNG that a drawing is, None where nothing was drawn.

    Args:
        drawing: a data URL of a PNG, or None or empty.

    Raises:
        InputError: it is no such thing.
    """
    if not drawing:
        return None
    if not isinstance(drawing, str) or not drawing.startswith(_START) or len(drawing) > _MOST_CHARACTERS:
        raise InputError(UNREADABLE)
    try:
        return base64.b64decode(drawing.removeprefix(_START), validate=True)
    except ValueError as error:
        raise InputError(UNREADABLE) from error


def strokes(pixels: np.ndarray) -> Strokes:
    """Return the masks of a drawing.

    Args:
        pixels: (H, W, 4) uint8, strokes in the colours of `ROLES`.
    """
    shades = pixels.astype(np.float32) / 255
    opaque = shades[..., 3]
    colors = np.array([[int(c[at : at + 2], 16) / 255 for at in (1, 3, 5)] for c in ROLES.values()])
    role = ((shades[..., None, :3] - colors) ** 2).sum(-1).argmin(-1)
    masks = [_mask(np.where(role == index, opaque, 0)) for index in range(len(ROLES))]
    return Strokes(masks[0], tuple(masks[1:]))


def _mask(cover: np.ndarray) -> Image.Image | None:
    """Return a grey picture of what is covered, or None if that is less than a speck."""
    if (cover > 0.5).sum() < 4:
        return None
    return Image.fromarray((cover.clip(0, 1) * 255).round().astype(np.uint8))


class Brush(gr.HTML):
    """Draws over the picture of another component; its value is the drawing as a data URL.

    Args:
        over: the element id of the picture input that is drawn on. A new picture there clears the drawing.
    """

    def __init__(self, over: str, **more: Any) -> None:
        roles = "".join(
            f'<button type="button" class="role" data-color="{color}" aria-pressed="false">'
            f'<i style="background:{color}"></i>{html.escape(name)}</button>'
            for name, color in ROLES.items()
        )
        super().__init__(
            value=None,
            html_template=f"""
<div class="roles" role="group" aria-label="What the brush does">{roles}
<button type="button" class="role erase" aria-pressed="false">Erase</button>
<button type="button" class="clear">Clear</button></div>
<label class="width">Brush width <input type="range" min="1" max="25" value="8"></label>
<div class="easel"><img alt=""><canvas aria-label="The photo to draw on"></canvas></div>
""",
            js_on_load=_SCRIPT.replace("OVER", over).replace("LONGEST", str(MOST_DRAWN)),
            **more,
        )

    def api_info(self) -> dict[str, Any]:
        """Describe the value."""
        return {"type": "string", "description": "a PNG as data URL"}


_SCRIPT = """
const find = (name) => element.querySelector(name);
const pen = () => find('canvas').getContext('2d');
let color = null, erasing = false, last = null, source = null;
const roles = () => [...element.querySelectorAll('.role')];
const choose = (button) => {
  roles().forEach((other) => other.setAttribute('aria-pressed', String(other === button)));
  color = button.dataset.color; erasing = !color;
};
const clear = () => {
  const canvas = find('canvas');
  pen().clearRect(0, 0, canvas.width, canvas.height);
  if (props.value) props.value = null;
};
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button) return;
  if (button.classList.contains('clear')) clear(); else choose(button);
});
const place = (event) => {
  const canvas = find('canvas'), box = canvas.getBoundingClientRect();
  const scale = canvas.width / box.width;
  return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
};
const draw = (event) => {
  const canvas = find('canvas'), context = pen(), [x, y] = place(event);
  context.globalCompositeOperation = erasing ? 'destination-out' : 'source-over';
  context.strokeStyle = color || '#000';
  context.lineCap = context.lineJoin = 'round';
  context.lineWidth = Number(find('input').value) / 100 * Math.max(canvas.width, canvas.height);
  context.beginPath();
  context.moveTo(...(last || [x - 0.01, y]));
  context.lineTo(x, y);
  context.stroke();
  last = [x, y];
};
const easel = find('.easel');
easel.addEventListener('pointerdown', (event) => {
  if (event.button || !source) return;
  event.preventDefault();
  try { easel.setPointerCapture(event.pointerId); } catch (error) { /* a pointer that is gone */ }
  last = null; draw(event);
});
easel.addEventListener('pointermove', (event) => { if (last) draw(event); });
const lift = () => {
  if (!last) return;
  last = null;
  props.value = find('canvas').toDataURL('image/png');
};
easel.addEventListener('pointerup', lift);
easel.addEventListener('pointercancel', lift);
const follow = () => {
  const shown = document.querySelector('#OVER img');
  const url = shown && shown.getAttribute('src');
  if (url === source) return;
  source = url;
  clear();
  easel.classList.toggle('empty', !url);
  if (!url) return;
  const image = find('img');
  image.onload = () => {
    const scale = LONGEST / Math.max(image.naturalWidth, image.naturalHeight);
    const canvas = find('canvas');
    canvas.width = Math.round(image.naturalWidth * scale);
    canvas.height = Math.round(image.naturalHeight * scale);
  };
  image.src = url;
};
choose(roles()[0]);
const card = document.getElementById('OVER');
if (card) new MutationObserver(follow).observe(card, { subtree: true, childList: true, attributes: true });
follow();
"""
