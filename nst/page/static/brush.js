// Draws over the picture of another component; the value is the drawing as a data URL.
import { addressIn } from './gradio.js';

export const brush = ({ element, props, watch }) => {
  const find = (name) => element.querySelector(name);
  const here = element.getRootNode();
  const surface = find('.drawing');
  const pen = () => find('canvas').getContext('2d');
  let color = null, erasing = false, last = null, source = null;
  let own = null, given = null;  // drawings as data URLs: the one made here, and one that the host brings back
  const roles = () => [...element.querySelectorAll('.role')];
  // No brush until one is asked for: a finger that only passes over the photo draws nothing. A second click puts it away.
  let held = null;
  const choose = (button) => {
    held = held === button ? null : button;
    roles().forEach((other) => other.setAttribute('aria-pressed', String(other === held)));
    color = held && held.dataset.color; erasing = Boolean(held) && !color;
    surface.classList.toggle('drawn-on', Boolean(held));
  };
  const clear = () => {
    const canvas = find('canvas');
    pen().clearRect(0, 0, canvas.width, canvas.height);
    if (props.value && props.value !== given) props.value = null;
  };
  // The photo that it was drawn on comes with it, before or after.
  const restore = () => {
    if (!given || !find('img').naturalWidth) return;
    const drawn = new Image();
    drawn.onload = () => pen().drawImage(drawn, 0, 0, find('canvas').width, find('canvas').height);
    drawn.src = given;
  };
  const bring = () => {
    if (props.value === own || props.value === given) return;
    given = props.value;
    restore();
    setTimeout(() => { given = null; }, 5000);
  };
  watch('value', bring);
  bring();
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
    context.lineWidth = Number(find('.width input').value) / 100 * Math.max(canvas.width, canvas.height);
    context.beginPath();
    context.moveTo(...(last || [x - 0.01, y]));
    context.lineTo(x, y);
    context.stroke();
    last = [x, y];
  };
  surface.addEventListener('pointerdown', (event) => {
    if (event.button || !source || !held) return;
    event.preventDefault();
    try { surface.setPointerCapture(event.pointerId); } catch { /* a pointer that is gone */ }
    last = null; draw(event);
  });
  surface.addEventListener('pointermove', (event) => { if (last) draw(event); });
  const lift = () => {
    if (!last) return;
    last = null;
    props.value = own = find('canvas').toDataURL('image/png');
  };
  surface.addEventListener('pointerup', lift);
  surface.addEventListener('pointercancel', lift);
  // A mask that was made elsewhere, for whoever does not draw: it is for the brush that is chosen, or else the first.
  find('.mask').addEventListener('change', async (event) => {
    const [file] = event.target.files, canvas = find('canvas');
    const picture = file && source && await createImageBitmap(file).catch(() => null);
    event.target.value = '';
    if (!picture) return;
    if (!color) choose(roles().find((each) => each.dataset.color && each.offsetParent));
    const ink = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
    ink.drawImage(picture, 0, 0, canvas.width, canvas.height);
    const drawn = ink.getImageData(0, 0, canvas.width, canvas.height), shades = drawn.data;
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
    for (let at = 0; at < shades.length; at += 4) {
      const light = (shades[at] + shades[at + 1] + shades[at + 2]) / 3 * shades[at + 3] / 255;
      shades.set([red, green, blue, light > 127 ? 255 : 0], at);
    }
    ink.putImageData(drawn, 0, 0);
    pen().globalCompositeOperation = 'source-over';
    pen().drawImage(ink.canvas, 0, 0);
    props.value = own = canvas.toDataURL('image/png');
  });
  const follow = () => {
    const url = addressIn(here, props.over);
    surface.classList.toggle('empty', !url);
    // What is drawn stays until another picture comes: after its camera was asked for, Gradio takes a card's picture
    // off with each event that it is part of, and puts the same one back.
    if (!url || url === source) return;
    source = url;
    clear();
    const image = find('img');
    image.onload = () => {
      const scale = props.longest / Math.max(image.naturalWidth, image.naturalHeight);
      const canvas = find('canvas');
      canvas.width = Math.round(image.naturalWidth * scale);
      canvas.height = Math.round(image.naturalHeight * scale);
      restore();
    };
    image.src = url;
  };
  const card = here.querySelector(`#${props.over}`);
  if (card) new MutationObserver(follow).observe(card, { subtree: true, childList: true, attributes: true });
  follow();
};
