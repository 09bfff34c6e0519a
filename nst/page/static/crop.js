// Turns a picture and cuts a part out of it: what is chosen here is cut by the host, from the file that was sent.
import { pictureIn } from './gradio.js';

export const crop = ({ element, props, trigger, watch }) => {
  const find = (name) => element.querySelector(name);
  const here = element.getRootNode();
  const dialog = find('dialog'), canvas = find('canvas'), frame = find('.frame'), part = find('.part');
  let picture = null, turns = 0, box = [0, 0, 1, 1], grip = null, asked = '';
  const LEAST = 0.05;
  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
  const shape = () => Number(find('select').value);  // width to height, 0 for any
  const show = () => {
    const [left, top, right, bottom] = box.map((share) => `${100 * share}%`);
    Object.assign(part.style, { left, top, width: `calc(${right} - ${left})`, height: `calc(${bottom} - ${top})` });
  };
  const draw = () => {
    const upright = turns % 2 === 0, { naturalWidth, naturalHeight } = picture;
    [canvas.width, canvas.height] = upright ? [naturalWidth, naturalHeight] : [naturalHeight, naturalWidth];
    const pen = canvas.getContext('2d');
    pen.translate(canvas.width / 2, canvas.height / 2);
    pen.rotate(turns * Math.PI / 2);
    pen.drawImage(picture, -naturalWidth / 2, -naturalHeight / 2);
    show();
  };
  // The largest part of the wanted shape in the middle of the one that is chosen.
  const shaped = () => {
    if (!shape()) return;
    const [left, top, right, bottom] = box, wanted = shape() * canvas.height / canvas.width;
    const width = Math.min(right - left, (bottom - top) * wanted), height = width / wanted;
    const x = (left + right - width) / 2, y = (top + bottom - height) / 2;
    box = [x, y, x + width, y + height];
  };
  const whole = () => { box = [0, 0, 1, 1]; shaped(); show(); };
  const open = () => {
    const shown = pictureIn(here, props.of);
    if (!shown) return;
    picture = new Image();
    asked = '';  // an answer that was lost is no longer waited for
    find('.use').disabled = false;
    picture.onload = () => { turns = 0; find('select').selectedIndex = 0; box = [0, 0, 1, 1]; say(''); draw(); dialog.showModal(); };
    picture.src = shown.src;
  };
  const say = (text) => { find('.message').textContent = text; };
  const turn = (by) => { turns = (turns + by + 4) % 4; draw(); whole(); };
  find('.open').addEventListener('click', open);
  find('.left').addEventListener('click', () => turn(-1));
  find('.right').addEventListener('click', () => turn(1));
  find('select').addEventListener('change', whole);
  find('.cancel').addEventListener('click', () => dialog.close());
  find('.use').addEventListener('click', () => {
    asked = crypto.getRandomValues(new Uint32Array(2)).join('-');
    find('.use').disabled = true;
    trigger('submit', { box, turns, asked });
  });
  watch('value', () => {
    if (!props.value || props.value.asked !== asked) return;
    find('.use').disabled = false;
    say(props.value.message);
    if (!props.value.message) dialog.close();
  });
  // Drawn anew outside, moved inside, resized by its corners.
  const at = (event) => {
    const bounds = frame.getBoundingClientRect();
    return [clamp((event.clientX - bounds.left) / bounds.width, 0, 1), clamp((event.clientY - bounds.top) / bounds.height, 0, 1)];
  };
  const moved = (dx, dy) => {
    const x = clamp(dx, -box[0], 1 - box[2]), y = clamp(dy, -box[1], 1 - box[3]);
    box = [box[0] + x, box[1] + y, box[2] + x, box[3] + y];
  };
  // From a corner that stays to a point, in the wanted shape.
  const stretched = ([fromX, fromY], [x, y]) => {
    let width = Math.max(Math.abs(x - fromX), LEAST), height = Math.max(Math.abs(y - fromY), LEAST);
    const right = x >= fromX, down = y >= fromY;
    const room = [right ? 1 - fromX : fromX, down ? 1 - fromY : fromY];
    if (shape()) {
      const wanted = shape() * canvas.height / canvas.width;
      width = Math.min(Math.max(width, height * wanted), room[0], room[1] * wanted);
      height = width / wanted;
    }
    const left = clamp(right ? fromX : fromX - width, 0, 1 - width), top = clamp(down ? fromY : fromY - height, 0, 1 - height);
    box = [left, top, left + width, top + height];
  };
  frame.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    event.preventDefault();
    try { frame.setPointerCapture(event.pointerId); } catch { /* a pointer that is gone */ }
    const bounds = frame.getBoundingClientRect(), point = at(event);
    const near = (index, share) => Math.abs(box[index] - share) * (index % 2 ? bounds.height : bounds.width) < 24;
    const horizontal = near(0, point[0]) ? 0 : near(2, point[0]) ? 2 : null;
    const vertical = near(1, point[1]) ? 1 : near(3, point[1]) ? 3 : null;
    const inside = point[0] > box[0] && point[0] < box[2] && point[1] > box[1] && point[1] < box[3];
    if (horizontal !== null && vertical !== null) grip = { from: [box[2 - horizontal], box[4 - vertical]] };
    else if (inside) grip = { last: point };
    else grip = { from: point };
    part.focus();
  });
  frame.addEventListener('pointermove', (event) => {
    if (!grip) return;
    const point = at(event);
    if (grip.from) stretched(grip.from, point);
    else { moved(point[0] - grip.last[0], point[1] - grip.last[1]); grip.last = point; }
    show();
  });
  for (const kind of ['pointerup', 'pointercancel']) frame.addEventListener(kind, () => { grip = null; });
  const STEPS = { ArrowLeft: [-0.02, 0], ArrowRight: [0.02, 0], ArrowUp: [0, -0.02], ArrowDown: [0, 0.02] };
  part.addEventListener('keydown', (event) => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    if (event.shiftKey) stretched([box[0], box[1]], [clamp(box[2] + step[0], 0, 1), clamp(box[3] + step[1], 0, 1)]);
    else moved(...step);
    show();
  });
};
