// Takes files that are dropped on a card, also on one that holds a picture already, pasted or chosen, whatever the
// browser calls them: Gradio's own cards take what it calls image/*, and from an empty card only.
const cards = JSON.parse(element.querySelector('[data-cards]').dataset.cards);
const first = cards[0];
const here = element.getRootNode();
const base = () => {
  const own = document.querySelector('script[type=module][src*="/assets/index-"]');
  return own ? own.src.split('/assets/')[0] : location.origin + location.pathname.replace(/\/$/, '');
};
const cardOf = (event) => {
  const card = event.composedPath().find((one) => cards.includes(one.id) || one.classList?.contains('card'));
  if (!card) return null;
  return cards.includes(card.id) ? card.id : cards.find((name) => card.querySelector('#' + name)) || null;
};
// What is wrong with a file stands on the card that it was meant for, until that shows another picture.
const shownIn = (card) => here.querySelector(`#${card} img`)?.getAttribute('src');
const complain = (card, text) => {
  const place = here.querySelector(`#${card}`);
  place?.querySelector('.fault')?.remove();
  if (!place || !text) return;
  place.append(Object.assign(document.createElement('p'), { className: 'fault', role: 'alert', textContent: text }));
  const before = shownIn(card);
  const timer = setInterval(() => {
    const fault = place.querySelector('.fault');
    if (fault && fault.textContent === text && shownIn(card) === before) return;
    clearInterval(timer);
    if (fault && fault.textContent === text) fault.remove();
  }, 500);
};
const answers = {};
watch('value', () => { if (props.value?.file) answers[props.value.file] = props.value; });
// What is on its way is waited for by Paint (paint_button.js), which would otherwise paint what was there before.
const arrived = async (card, file, before) => {
  for (let tries = 0; tries < 300; tries += 1) {
    const answer = answers[file];
    if (answer && (!answer.taken || shownIn(card) !== before)) return answer.message;
    await new Promise((done) => { setTimeout(done, 100); });
  }
  return 'The upload failed; try again.';
};
let turn = Promise.resolve();
const send = async (card, files) => {
  const [file] = files;
  if (!file || !card) return;
  const place = here.querySelector(`#${card}`), before = shownIn(card);
  place.classList.add('receiving');
  const form = new FormData();
  form.append('files', file, file.name);
  let sent = null;
  try {
    const answer = await fetch(base() + '/gradio_api/upload', { method: 'POST', body: form });
    const body = await answer.json();
    sent = answer.ok ? { card, file: body[0] } : { card, message: body.detail || body.error || '' };
  } catch (error) { sent = { card, message: 'The upload failed; try again.' }; }
  if (sent.file) {
    // One after the other: of two answers in one moment only the last would be seen.
    turn = turn.then(() => { trigger('upload', sent); return arrived(card, sent.file, before); });
    sent.message = await turn;
  }
  complain(card, sent.message);
  place.classList.remove('receiving');
};
const files = (event) => [...(event.dataTransfer || event.clipboardData || { files: [] }).files];
const dragged = (event) => [...(event.dataTransfer?.types || [])].includes('Files');
const listen = (kind, work) => here.addEventListener(kind, work, { capture: true });
// A file that is dropped beside a card does not take the place of the page.
listen('dragover', (event) => { if (dragged(event)) event.preventDefault(); });
listen('drop', (event) => {
  if (!dragged(event)) return;
  event.preventDefault();
  const card = cardOf(event);
  if (card) { event.stopPropagation(); send(card, files(event)); }
});
listen('change', (event) => {
  const input = event.composedPath()[0], card = cardOf(event);
  if (!card || input.type !== 'file' || !input.files.length) return;
  event.stopPropagation();
  send(card, [...input.files]);
  input.value = '';
});
// The chooser shows what phones call their pictures too.
const KINDS = 'image/*,.heic,.heif,.tif,.tiff,.avif';
const chooser = Object.assign(document.createElement('input'), { type: 'file', accept: KINDS });
let chosenFor = null;
chooser.addEventListener('change', () => { send(chosenFor, [...chooser.files]); chooser.value = ''; });
const fromClipboard = async (card) => {
  try {
    for (const item of await navigator.clipboard.read()) {
      const kind = item.types.find((one) => one.startsWith('image/'));
      if (kind) { send(card, [new File([await item.getType(kind)], `pasted.${kind.slice(6)}`, { type: kind })]); return; }
    }
    complain(card, 'No picture in the clipboard; copy one first.');
  } catch (error) {
    complain(card, 'Your browser blocked the clipboard; press Ctrl+V on the page instead, or choose a file.');
  }
};
const choose = (card) => { chosenFor = card; chooser.removeAttribute('capture'); chooser.click(); };
const photograph = (card) => { chosenFor = card; chooser.setAttribute('capture', 'environment'); chooser.click(); };
const touched = matchMedia('(pointer: coarse)').matches;
let clicked = null;
listen('click', (event) => {
  const card = cardOf(event), target = event.composedPath()[0];
  if (!card) return;
  clicked = card;
  // Gradio's own take the picture off the card before they have another one, and the first one opens nothing.
  const button = target.closest('.source-selection button');
  if (button) {
    const [upload, ...others] = button.parentElement.querySelectorAll('button'), paste = others.pop();
    // A phone has an app to film with; elsewhere Gradio's own shows what a camera sees.
    const source = button === upload ? choose : button === paste ? fromClipboard : touched ? photograph : null;
    if (source) { event.stopPropagation(); source(card); return; }
    // One press is enough.
    setTimeout(() => here.querySelector(`#${card} [title="grant webcam access"] button`)?.click(), 100);
  }
  // A picture that stands there already is changed by a click on it; Gradio's own does nothing.
  if (target.tagName === 'IMG' && target.closest(`#${card}`)) { choose(card); return; }
  for (const name of cards) {
    for (const input of here.querySelectorAll(`#${name} input[type=file]`)) input.accept = KINDS;
  }
});
listen('paste', (event) => {
  const target = event.composedPath()[0], pasted = files(event);
  if (!pasted.length || /^(input|textarea)$/i.test(target.tagName || '')) return;
  event.preventDefault();
  event.stopPropagation();
  send(cardOf(event) || first, pasted);
});
// A camera that is refused is an error that Gradio leaves to nobody.
window.addEventListener('unhandledrejection', (event) => {
  const kind = event.reason instanceof DOMException ? event.reason.name : '';
  // Sharing and filling the screen are refused by the same names.
  const films = clicked && here.querySelector(`#${clicked} :is(video, [title="grant webcam access"])`);
  if (!films || !['NotAllowedError', 'NotFoundError', 'NotReadableError', 'SecurityError'].includes(kind)) return;
  event.preventDefault();
  const refused = kind === 'NotAllowedError' || kind === 'SecurityError';
  complain(clicked, refused ? 'Your browser blocked the camera; allow it next to the address, or choose a file.'
    : 'No camera was found; choose a file.');
});
